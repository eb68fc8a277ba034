"""The settlement of a call, from what was decided about its delivery."""

from datetime import datetime, timedelta
from typing import assert_never

from application.delivery.ports import Leased, Settlement
from application.delivery.push import PushEnd, PushPlan
from domain.delivery.decide import (
    AwaitReceipt,
    Decision,
    DeliveryProgress,
    FailOver,
    GiveUp,
    Hold,
    RetryAt,
    decide,
)
from domain.delivery.delivery import DeliveryStatus
from domain.delivery.policy import RetryPolicy
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown


def settlement(
    leased: Leased,
    decision: Decision,
    outcome: Outcome,
    took: timedelta,
    *,
    about: str | None = None,
    is_open: bool = False,
    push: PushEnd | None = None,
) -> Settlement:
    """
    Args:
        about: what is decided about earlier calls without an answer.
        is_open: a call, this one or an earlier one, may have sent it, and that will be known.
    """
    status, counts = DeliveryStatus.QUEUED, True
    failovers: int | None = None
    reason: str | None = None
    reference: str | None = None
    due: datetime | None = None
    match decision:
        case AwaitReceipt(reference):
            status = DeliveryStatus.SENT
        case FailOver(reason):
            counts, failovers = False, leased.failovers + 1
        case RetryAt(due, reason, counts):
            failovers = 0 if push or isinstance(outcome, Deferred | AccountFault) else None
            if outcome == AccountFault(reason):
                due = None  # the lane waits, not the delivery
        case GiveUp(reason):
            status, failovers = DeliveryStatus.FAILED, 0
        case Hold(reason):
            status = DeliveryStatus.UNKNOWN
        case _:
            assert_never(decision)
    return Settlement(
        delivery=leased.id,
        attempt=leased.attempt,
        status=status,
        reason=reason,
        outcome=push.tag if push else _TAGS[type(outcome)],
        reference=push.reference if push else reference,
        due=due,
        counts=counts,
        failovers=failovers,
        latency=took,
        devices=push.results if push else (),
        resolution=about,
        stays_open=is_open and status is DeliveryStatus.QUEUED,
    )


_TAGS: dict[type, str] = {
    Accepted: "accepted",
    Deferred: "deferred",
    Refused: "refused",
    AccountFault: "account_fault",
    Unknown: "unknown",
    NotCalled: "not_called",
}


def progress(leased: Leased) -> DeliveryProgress:
    """Of a delivery whose call has ended."""
    unspent = leased.attempt - leased.attempts_counted
    return DeliveryProgress(leased.accepted_at, leased.attempts_counted + 1, unspent)


def not_failed(decision: Decision, push: PushPlan | None) -> Decision:
    """The same, or that it is sent: a device had accepted the message before this call."""
    return AwaitReceipt("") if push and push.reached and isinstance(decision, GiveUp) else decision


def push_settlement(
    leased: Leased, end: PushEnd, policy: RetryPolicy, took: timedelta, now: datetime, chance: float
) -> Settlement:
    """The settlement of a call for several devices; devices that another provider reaches are next."""
    decision: Decision = FailOver("devices of another provider are left")
    if not end.next_provider:
        decision = decide(progress(leased), end.outcome, policy, now=now, chance=chance)
        if end.reached and isinstance(decision, GiveUp):
            decision = AwaitReceipt("")
    return settlement(leased, decision, end.outcome, took, push=end)
