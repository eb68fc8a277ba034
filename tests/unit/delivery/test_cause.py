"""Causes: alike when the fault is, whoever it met."""

import pytest

from domain.delivery.cause import CAUSE_MAX, cause, fingerprint


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            "recipient: 550 5.1.1 <ada@example.com>: No such user",
            "recipient: 550 5.1.1 <<address>>: No such user",
        ),
        ("421 4.7.0 try later (id 0198f7a0-0000-7000-8000-000000000000)", "421 4.7.0 try later (id <id>)"),
        ("connect 10.0.0.17: refused", "connect <host>: refused"),
        ("+49 151 23456789 is no mobile number", "<number> is no mobile number"),
        ("rejected, message 4Xk2b9QzvT1", "rejected, message <id>"),
        ("quota of 10000 used", "quota of <number> used"),
        ("gave  up:\n timed out after 15 s", "gave up: timed out after 15 s"),
        ("no address", "no address"),
    ],
)
def test_what_differs_between_recipients_is_left_out(reason: str, expected: str) -> None:
    assert cause(reason) == expected


def test_a_cause_is_short_and_of_itself() -> None:
    assert len(cause("word " * 1000)) <= CAUSE_MAX
    assert cause(cause("550 <ada@example.com> 123456")) == cause("550 <bob@example.com> 987654")


def test_a_group_is_one_channel_one_provider_and_one_cause() -> None:
    names = {
        fingerprint(*given)
        for given in [
            ("email", "smtp", "x"),
            ("sms", "smtp", "x"),
            ("email", None, "x"),
            ("email", "smtp", "y"),
        ]
    }
    assert len(names) == 4
    assert all(len(name) == 16 for name in names)
