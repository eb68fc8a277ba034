"""Stopping a notification, in memory."""

from dataclasses import dataclass
from uuid import UUID

from application.notification.ports import CancelTally
from domain.delivery.delivery import DeliveryStatus, advance
from tests.support.memory.counters import count
from tests.support.memory.rows import HistoryRow, MemoryRows

_IDLE = (DeliveryStatus.PENDING, DeliveryStatus.STANDBY, DeliveryStatus.QUEUED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryCancelling:
    """Implements `Cancelling`."""

    rows: MemoryRows

    async def mark(self, notification: UUID, mode: str) -> bool:
        row = self.rows.notifications.get(notification)
        if row is None or row.mode != mode:
            return False
        row.updated_at = self.rows.clock.now()
        if row.counts.get("open") or row.counts.get("unknown") or not row.expanded:
            row.cancelled_at = row.cancelled_at or row.updated_at
        if row.cancelled_at is not None:
            for letter in self.rows.dead_letters.values():
                if letter.notification_id == notification and letter.closed_at is None:
                    letter.closed_at, letter.resolution, letter.note = (
                        row.updated_at,
                        "discarded",
                        "cancelled",
                    )
        return True

    async def sweep(self, notification: UUID, limit: int) -> int:
        idle = [row for row in self.rows.deliveries_of(notification) if row.status in _IDLE][:limit]
        now = self.rows.clock.now()
        for row in idle:
            old, row.status = row.status, advance(row.status, DeliveryStatus.CANCELLED)
            row.reason, row.not_before, row.updated_at = None, None, now
            self.rows.history[row.id].append(HistoryRow(status=row.status, at=now))
            count(self.rows, notification, old, row.status)
        return len(idle)

    async def tally(self, notification: UUID) -> CancelTally:
        counts = self.rows.notifications[notification].counts
        return CancelTally(
            cancelled=counts.get("cancelled", 0),
            already_sent=sum(counts.get(name, 0) for name in ("sent", "delivered", "bounced")),
            in_flight=sum(counts.get(name, 0) for name in ("open", "unknown")),
        )
