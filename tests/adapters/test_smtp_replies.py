"""What SMTP servers' answers mean, as the table says."""

import pytest

from adapters.providers.email.smtp.replies import Stage, outcome_of_reply, outcome_of_silence
from domain.provider.outcome import AccountFault, Deferred, Refused, Unknown

TABLE = """
    connecting     –          Deferred   Account    Deferred   Deferred
    logging in     –          Account    Account    Deferred   Deferred
    sender         –          Deferred   Account    Deferred   Deferred
    recipient      –          Deferred   Refused    Deferred   Deferred
    data           –          Deferred   Refused    Deferred   Deferred
    message        Accepted   Deferred   Refused    Unknown    Unknown
"""
KINDS = {"Deferred": Deferred, "Refused": Refused, "Unknown": Unknown, "Account": AccountFault}
ROWS = [(row[:19].strip(), *row[19:].split()) for row in TABLE.strip("\n").splitlines()]


@pytest.mark.parametrize(("stage", "_yes", "later", "no", "other", "lost"), ROWS)
def test_every_stage(stage: str, _yes: str, later: str, no: str, other: str, lost: str) -> None:
    at = Stage(stage)
    for code in (450, 451, 452, 454, 499):
        assert type(outcome_of_reply(at, code, "", "ada@a.b")) is KINDS[later]
    for code in (550, 551, 553, 554, 599):
        assert type(outcome_of_reply(at, code, "", "ada@a.b")) is KINDS[no]
    for code in (-1, 0, 100, 220, 334, 354, 600, 999):
        if at is not Stage.CONTENT or code // 100 != 2:
            assert type(outcome_of_reply(at, code, "", "ada@a.b")) is KINDS[other]
    assert type(outcome_of_silence(at, "Connection lost")) is KINDS[lost]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5.1.1 <ada.l@shop.test>: unknown", "recipient: 550 5.1.1 … unknown"),
        ("user ADA.L unknown", "recipient: 550 user … unknown"),
        ("ada.lovelace is not ada.l", "recipient: 550 … is not …"),
        ("see https://x.test/?q=ada.l@shop.test", "recipient: 550 see …"),
        ("two\nlines", "recipient: 550 two lines"),
        ("\udcffbad\x00", "recipient: 550 bad"),
        ("no " * 100, f"recipient: 550 {'no ' * 66}no"),
        ("", "recipient: 550"),
        ("ada.l=40shop.test over quota", "recipient: 550 … over quota"),
        ("ADA+2EL at shop dot test is full", "recipient: 550 … at … is full"),
        ("=?utf-8?q?Ada?= unknown user", "recipient: 550 … unknown user"),
        ("Mail for Ada Lovelace, Hauptstr. 12: rejected", "recipient: 550 Mail for … rejected"),
        ("your code is 123 456", "recipient: 550 your code is …"),
        ("5.1.1 listed in 'Dear Ada, your order 9'", "recipient: 550 5.1.1 listed in … your order …"),
        ("Mailbox-full (over quota)!", "recipient: 550 Mailbox-full (over quota)!"),
    ],
)
def test_reasons_are_short_plain_and_tell_no_address(text: str, reason: str) -> None:
    outcome = outcome_of_reply(Stage.RECIPIENT, 550, text, "ada.l@shop.test")
    assert isinstance(outcome, Refused)
    assert "ada.l@" not in outcome.reason
    outcome.reason.encode()
    assert outcome.reason == reason
