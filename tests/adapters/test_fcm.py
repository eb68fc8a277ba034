"""FCM: what its published answers mean, and what it is sent."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.providers.kit.settings import ProviderContext
from adapters.providers.push.fcm import TOKEN_URL, FcmSettings
from adapters.system import SystemDice
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from tests.contract.gateway import message
from tests.support.answering import Said
from tests.support.clock import HandClock
from tests.support.fcm import TAKEN, credentials, fcm, refused

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (refused(404, "NOT_FOUND", "UNREGISTERED"), Refused("404 UNREGISTERED Requested …", gone=True)),
        (refused(404, "NOT_FOUND"), AccountFault("404 NOT_FOUND Requested …")),
        (refused(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), Refused("400 INVALID_ARGUMENT Requested …")),
        (refused(400, "INVALID_ARGUMENT"), Refused("400 INVALID_ARGUMENT Requested …")),
        (
            refused(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
            AccountFault("403 SENDER_ID_MISMATCH Requested …", certain=False),
        ),
        (refused(403, "PERMISSION_DENIED"), AccountFault("403 PERMISSION_DENIED Requested …")),
        (
            refused(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
            AccountFault("401 THIRD_PARTY_AUTH_ERROR Requested …", certain=False),
        ),
        (refused(401, "UNAUTHENTICATED"), AccountFault("401 UNAUTHENTICATED Requested …")),
        (
            refused(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
            Deferred("429 QUOTA_EXCEEDED Requested …", retry_after=MINUTE),
        ),
        (
            refused(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", **{"Retry-After": "90"}),
            Deferred("429 QUOTA_EXCEEDED Requested …", retry_after=1.5 * MINUTE),
        ),
        (Said(200, {"name": ""}), Unknown("200, and no id in the answer")),
        (Said(502), Unknown("502")),
        (TAKEN, Accepted("projects/shop-1234/messages/0:15004")),
    ],
)
async def test_what_an_answer_means(answer: Said, outcome: Outcome) -> None:
    async with fcm(answer) as (gateway, _, _):
        assert await gateway.send(message()) == outcome


@pytest.mark.parametrize(("status", "code"), [(500, "INTERNAL"), (503, "UNAVAILABLE")])
async def test_trouble_of_its_own_passes(status: int, code: str) -> None:
    async with fcm(refused(status, code, code, **{"Retry-After": "30"})) as (gateway, _, _):
        outcome = await gateway.send(message())
    assert isinstance(outcome, Deferred)
    assert outcome.retry_after == timedelta(seconds=30)


async def test_what_it_is_sent() -> None:
    parts = {
        "data": {"order": "7"},
        "image": "https://shop.test/parcel.png",
        "link": "https://shop.test/orders/7",
        "badge": 3,
        "sound": "ding",
        "collapseKey": "order-7",
        "ttl": "PT60S",
        "urgency": "high",
    }
    sent = message("device-token", subject="Shipped", body="It is on its way", parts=parts)
    async with fcm(TAKEN) as (gateway, there, _):
        await gateway.send(sent)
    [asked] = there.asked
    assert asked.path == "/v1/projects/shop-1234/messages:send"
    assert asked.headers["Authorization"] == "Bearer ya29.one"
    assert asked.json()["message"] == {
        "token": "device-token",
        "notification": {
            "title": "Shipped",
            "body": "It is on its way",
            "image": "https://shop.test/parcel.png",
        },
        "data": {
            "order": "7",
            "link": "https://shop.test/orders/7",
            "posthorn_delivery": str(sent.delivery),
            "posthorn_attempt": "1",
        },
        "android": {
            "ttl": "60s",
            "priority": "HIGH",
            "collapseKey": "order-7",
            "notification": {"sound": "ding", "notificationCount": 3},
        },
        "apns": {
            "headers": {
                "apns-expiration": "1767225660",  # 2026-01-01 00:01 UTC
                "apns-priority": "10",
                "apns-collapse-id": "order-7",
            },
            "payload": {"aps": {"sound": "ding", "badge": 3, "mutable-content": 1}},
            "fcmOptions": {"image": "https://shop.test/parcel.png"},
        },
        "webpush": {
            "headers": {"TTL": "60", "Urgency": "high"},
            "fcmOptions": {"link": "https://shop.test/orders/7"},
        },
    }


async def test_what_was_not_asked_for_is_left_to_fcm() -> None:
    async with fcm(TAKEN) as (gateway, there, _):
        await gateway.send(message("device-token"))
    assert set(there.asked[0].json()["message"]) == {"token", "notification", "data"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": "é" * 2100}, "4096"),
        ({"parts": {"data": {"order": "x" * 4090}}}, "4096"),
        ({"parts": {"preheader": "of another channel"}}, "parts"),
    ],
)
async def test_what_cannot_be_sent_costs_no_call(changes: dict[str, Any], reason: str) -> None:
    async with fcm(TAKEN) as (gateway, there, google):
        outcome = await gateway.send(message(**changes))
    assert isinstance(outcome, Refused)
    assert not outcome.examined
    assert reason in outcome.reason
    assert not there.asked + google.asked


@pytest.mark.parametrize("text", ["", "{}", "a path, perhaps", '{"project_id": 7}'])
def test_what_is_no_key_file_is_said_at_the_start(text: str) -> None:
    settings = FcmSettings(credentials=Secret(text))
    assert list(settings.faults()) == [("credentials", "is not the JSON of a service account's key")]
    with pytest.raises(Misconfigured, match="service account"):
        settings.gateway(ProviderContext(clock=HandClock(), dice=SystemDice(), call_max=MINUTE))


def test_credentials_are_wanted() -> None:
    assert [name for name, _ in FcmSettings().faults()] == ["credentials"]
    assert list(FcmSettings(credentials=credentials(TOKEN_URL)).faults()) == []
