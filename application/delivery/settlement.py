"""The settlement of a call, from what was decided about its delivery."""

from datetime import datetime, timedelta
from typing import assert_never

from application.delivery.ports import Leased, Settlement
from domain.delivery.decide import AwaitReceipt, Decision, FailOver, GiveUp, Hold, RetryAt
from domain.delivery.delivery import DeliveryStatus
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown


def settlement(
    leased: Leased, decision: Decision, outcome: Outcome, took: timedelta, *, about: str | None, is_open: bool
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
            failovers = 0 if isinstance(outcome, Deferred | AccountFault) else None
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
        outcome=_TAGS[type(outcome)],
        reference=reference,
        due=due,
        counts=counts,
        failovers=failovers,
        latency=took,
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
