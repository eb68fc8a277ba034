"""A token is dead by the provider's code alone, and not for what may be our configuration."""

from datetime import UTC, datetime

import pytest

from adapters.providers.kit.push import DEAD_TOKENS, dead_token
from domain.provider.outcome import AccountFault, Outcome, Refused

MISMATCH = AccountFault("403 SENDER_ID_MISMATCH", certain=False)


@pytest.mark.parametrize(
    ("service", "status", "code"), [key for key, proof in DEAD_TOKENS.items() if not proof]
)
def test_some_codes_leave_no_doubt(service: str, status: int, code: str | None) -> None:
    found = dead_token(Refused("said"), service, status, code, proven=False)
    assert found == Refused("said", gone=True)


@pytest.mark.parametrize(
    ("outcome", "service", "status", "code"),
    [
        (MISMATCH, "fcm", 403, "SENDER_ID_MISMATCH"),
        (Refused("400 DeviceTokenNotForTopic"), "apns", 400, "DeviceTokenNotForTopic"),
    ],
)
def test_what_a_wrong_setting_causes_too_counts_once_the_account_has_sent(
    outcome: Outcome, service: str, status: int, code: str
) -> None:
    assert dead_token(outcome, service, status, code, proven=False) is outcome
    found = dead_token(outcome, service, status, code, proven=True)
    assert isinstance(found, Refused)
    assert found.gone


@pytest.mark.parametrize(
    ("service", "status", "code"),
    [
        ("apns", 400, "BadDeviceToken"),
        ("apns", 413, "PayloadTooLarge"),
        ("apns", 400, "Unregistered"),
        ("fcm", 400, "INVALID_ARGUMENT"),
        ("fcm", 404, "NOT_FOUND"),
        ("web_push", 403, None),
        ("web_push", 413, None),
    ],
)
def test_nothing_else_drops_a_token(service: str, status: int, code: str | None) -> None:
    said = Refused("token UNREGISTERED 410 gone")
    assert dead_token(said, service, status, code, proven=True) is said


@pytest.mark.parametrize(
    ("since", "at"),
    [
        (1764259200000, datetime(2025, 11, 27, 16, tzinfo=UTC)),
        (-1, None),
        (10**30, None),
        ("1764259200000", None),
        (None, None),
    ],
)
def test_since_when_is_read_if_it_can_be(since: object, at: datetime | None) -> None:
    found = dead_token(Refused("410"), "apns", 410, "Unregistered", proven=False, since=since)
    assert isinstance(found, Refused)
    assert found.gone_at == at
