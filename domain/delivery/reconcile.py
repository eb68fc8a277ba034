"""What follows calls without an answer where the provider can say what became of them.  Pure: time is given.

the call can be repeated by its key    repeat it, while the key is known
the provider finds the message         it is sent
it certainly does not have it          send it anew
it does not have it yet                ask later
it cannot say                          ask later; after `ASKING_MAX` it is held
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from domain.delivery.decide import Hold
from domain.provider.lookup import Absent, Certainty, Finding, Found, Unclear
from domain.provider.outcome import Accepted, NotCalled, Outcome, Refused, Unknown

ASKING_MAX = timedelta(minutes=10)
"""How long a provider is asked that cannot say, after it would know for certain."""


class OpenCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that nobody answered, and about which nothing is decided."""

    attempt: int
    provider: str
    begun_at: datetime
    lost_at: datetime
    """When it was given up; it was under way no longer."""


class Ask(msgspec.Struct, frozen=True):
    """The provider is asked for the message."""

    certainty: Certainty


class Repeat(msgspec.Struct, frozen=True):
    """The call is made again as this attempt of the delivery: what was sent by it is not sent twice."""

    attempt: int


class SendAnew(msgspec.Struct, frozen=True):
    """No earlier call has sent it."""


Reconciled = Accepted | NotCalled | Hold | Repeat | SendAnew
"""`Accepted`: it was sent; `NotCalled`: ask later."""


def plan(calls: Sequence[OpenCall], certainty: Certainty | None, now: datetime) -> Ask | Repeat | Hold:
    """How to learn what became of calls to one provider.

    Args:
        calls: by attempt, not empty.
        certainty: of the provider; None: it cannot say.
        now: aware UTC.
    """
    if certainty is None:
        return Hold("its provider cannot be asked what became of an earlier call")
    first = calls[0]
    if certainty.repeat_within is not None and now - first.begun_at < certainty.repeat_within:
        return Repeat(first.attempt)
    if certainty.lookup_after is not None:
        return Ask(certainty)
    return Hold("its provider no longer knows the key of an earlier call")


def after(finding: Finding, calls: Sequence[OpenCall], certainty: Certainty, now: datetime) -> Reconciled:
    """What follows the provider's answer."""
    knows_at = max(call.lost_at for call in calls) + (certainty.lookup_after or timedelta())
    match finding:
        case Found(reference):
            return Accepted(reference)
        case Absent():
            return SendAnew() if now >= knows_at else NotCalled("its provider does not have it yet")
        case Unclear(reason):
            words = f"its provider cannot say whether it was sent: {reason}"
            return NotCalled(words) if now < knows_at + ASKING_MAX else Hold(words)
        case _:
            assert_never(finding)


def still_open(reconciled: Reconciled | None, outcome: Outcome) -> bool:
    """Whether a call of the delivery may still have sent it, after this outcome.

    Args:
        reconciled: None: no earlier call was open.
    """
    match reconciled:
        case Hold() | NotCalled():
            return True
        case Repeat():
            return not isinstance(outcome, Accepted | Refused)
        case SendAnew() if isinstance(outcome, NotCalled):
            return True
        case _:
            return isinstance(outcome, Unknown)


def resolution(reconciled: Reconciled | None, outcome: Outcome) -> str | None:
    """What is decided about the earlier calls; None: nothing."""
    match reconciled:
        case Accepted():
            return "sent"
        case Repeat() if isinstance(outcome, Accepted):
            return "sent"
        case Repeat() if isinstance(outcome, Refused):
            return "failed"
        case SendAnew() if not isinstance(outcome, NotCalled):
            return "resend"
        case _:
            return None
