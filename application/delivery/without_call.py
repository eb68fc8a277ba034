"""Settlements of deliveries that end their lease without a call."""

from datetime import datetime
from typing import assert_never

from application.delivery.ports import Leased, Settlement
from application.delivery.ports import UnreadableDelivery as UnreadableRow
from domain.delivery.decide import GiveUp, Hold, RetryAt
from domain.delivery.delivery import DeliveryStatus
from domain.delivery.gate import Cancelled, Cleared, GateDecision, Paused, Reached, Suppressed


def unreadable(row: UnreadableRow) -> Settlement:
    """The settlement of a row that cannot be decoded: it fails."""
    return Settlement(
        delivery=row.delivery, attempt=row.attempt, status=DeliveryStatus.FAILED, reason=row.reason
    )


def without_call(leased: Leased, decision: GateDecision, *, is_open: bool = False) -> Settlement:
    """The settlement of a delivery that the gate did not clear.

    Args:
        is_open: earlier calls have no answer; where the delivery ends, they end with it.
    """
    status = DeliveryStatus.QUEUED
    reason: str | None = None
    due: datetime | None = None
    match decision:
        case Suppressed(reason):
            status = DeliveryStatus.SUPPRESSED
        case Cancelled():
            status = DeliveryStatus.CANCELLED
        case Reached():
            status = DeliveryStatus.SENT
        case Paused(reason):
            pass
        case RetryAt(due, reason):
            pass
        case GiveUp(reason):
            status = DeliveryStatus.FAILED
        case Hold(reason):
            status = DeliveryStatus.UNKNOWN
        case Cleared():
            reason = "no key"
        case _:
            assert_never(decision)
    ends = is_open and status not in {DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN}
    return Settlement(
        delivery=leased.id,
        attempt=leased.attempt,
        status=status,
        reason=reason,
        due=due,
        resolution=status.value if ends else None,
    )
