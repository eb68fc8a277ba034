"""The counters of notifications in memory, and the status that follows from them."""

from uuid import UUID

from domain.delivery.delivery import DeliveryStatus
from domain.notification.rollup import Counts, bucket, rollup
from tests.support.memory.rows import MemoryRows


def count(rows: MemoryRows, notification: UUID, old: DeliveryStatus, new: DeliveryStatus) -> None:
    """Move one delivery of a notification from one counter to another."""
    left, entered = bucket(old), bucket(new)
    if left == entered:
        return
    row = rows.notifications[notification]
    row.counts[left] = row.counts.get(left, 0) - 1
    row.counts[entered] = row.counts.get(entered, 0) + 1
    row.status = rollup(Counts(**row.counts), expanded=row.expanded, cancelled=row.cancelled_at is not None)
    row.updated_at = rows.clock.now()
