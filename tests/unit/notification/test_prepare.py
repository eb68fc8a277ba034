"""Whom a request is for: values as people paste them, and those that a shop event is accepted without."""

import pytest

from application.notification.identity import fingerprints
from application.notification.prepare import Prepared, ResolvedRecipient
from domain.kernel.errors import Fault, Invalid
from domain.notification.request import Recipient
from tests.unit.intake.promising import VAULT, Desk, request


async def prepared(*recipients: Recipient, drop_invalid: bool = False, channel: str = "email") -> Prepared:
    return await Desk().submit.prepare(
        request(recipients=recipients, drop_invalid=drop_invalid, channel=channel)
    )


async def resolved(recipient: Recipient, **how: object) -> ResolvedRecipient:
    [found] = (await prepared(recipient, **how)).resolved_recipients
    return found


async def refusal(*recipients: Recipient, **how: object) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        await prepared(*recipients, **how)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize("drop_invalid", [False, True])
@pytest.mark.parametrize("blank", ["", "  ", "\n", "\u00a0"])
async def test_a_blank_value_is_absent(blank: str, drop_invalid: bool) -> None:
    known = Recipient(user_id="456", email=blank, name=blank, locale=blank, timezone=blank, phone=blank)
    assert await resolved(known, drop_invalid=drop_invalid) == await resolved(Recipient(user_id="456"))
    guest = Recipient(user_id=blank, email="ann@example.com", phone=blank)
    assert await resolved(guest, drop_invalid=drop_invalid) == await resolved(
        Recipient(email="ann@example.com")
    )
    nobody = Recipient(user_id=blank, email=blank)
    assert await refusal(nobody, drop_invalid=drop_invalid) == [("/recipients/0", "no_address")]


@pytest.mark.parametrize("around", ["\u200b", " ", "\r\n", "\ufeff"])
async def test_one_guest_has_one_identity_and_is_written_to_as_given(around: str) -> None:
    pasted = await resolved(Recipient(email=f"{around}Ann@Example.COM{around}", name=" Ann \n B."))
    typed = await resolved(Recipient(email="ann@example.com"))
    assert pasted.profile is not None
    assert (pasted.profile.email, pasted.profile.name) == ("Ann@example.com", "Ann B.")
    assert (pasted.user, pasted.email_index) == (typed.user, typed.email_index)
    assert typed.email_index == VAULT.index("email", "ann@example.com")


ODD = Recipient(user_id="456", email="nobody", phone="x", name="n" * 256, locale="english", timezone="Berlin")


async def test_a_strict_request_is_told_every_bad_value() -> None:
    names = ("email", "phone", "name", "locale", "timezone")
    assert await refusal(ODD) == [(f"/recipients/0/{name}", f"bad_{name}") for name in names]


async def test_a_request_may_leave_bad_values_of_a_customer_out_and_says_so() -> None:
    found = await prepared(ODD, Recipient(user_id="7", name="Ann", locale="??"), drop_invalid=True)
    odd, ann = found.resolved_recipients
    assert odd == await resolved(Recipient(user_id="456"))
    assert ann == await resolved(Recipient(user_id="7", name="Ann"))
    codes = [fault.code for fault in found.kept_out]
    assert codes == ["bad_email", "bad_phone", "bad_name", "bad_locale", "bad_timezone", "bad_locale"]
    assert all(
        isinstance(fault, Fault) and fault.pointer.startswith("/recipients/") for fault in found.kept_out
    )


async def test_a_guest_needs_the_address_of_the_channel_and_no_other() -> None:
    guest = Recipient(email="nobody", phone="+49 30 901820", locale="en_US.UTF-8")
    assert await refusal(guest, drop_invalid=True) == [("/recipients/0/email", "bad_email")]
    found = await prepared(guest, drop_invalid=True, channel="sms")
    assert [fault.code for fault in found.kept_out] == ["bad_email"]
    [resolved] = found.resolved_recipients
    assert resolved.profile is not None
    assert (resolved.profile.phone, resolved.profile.locale) == ("+4930901820", "en-US")


async def test_how_strictly_a_request_is_read_is_no_part_of_its_fingerprint() -> None:
    strict, dropping = (request(drop_invalid=how, idempotency_key="k") for how in (False, True))
    assert fingerprints(VAULT, strict) == fingerprints(VAULT, dropping)
