"""What waits on a channel, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.delivery.delivery import DeliveryStatus
from domain.kernel.text import storable
from tests.support.memory.counters import count
from tests.support.memory.next_channel import follow
from tests.support.memory.rows import DeliveryRow, JobRow, MemoryRows

_S = DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBacklog:
    """Implements `Backlog`."""

    rows: MemoryRows

    async def count(self, channel: str, mode: str) -> int:
        return len(waiting(self.rows, channel, mode))


def waiting(rows: MemoryRows, channel: str, mode: str) -> list[DeliveryRow]:
    """Deliveries of a channel and mode that are queued or stand by, in the order of their ids."""
    found = [
        row
        for row in rows.deliveries.values()
        if row.channel == channel
        and row.status in (_S.QUEUED, _S.STANDBY)
        and rows.notifications[row.notification_id].mode == mode
    ]
    return sorted(found, key=lambda row: row.id)


def drop(rows: MemoryRows, job: JobRow, limit: int) -> Sequence[UUID]:
    """Suppress the next of a job; fewer than `limit`: that was all."""
    old = job.created_at
    waits = waiting(rows, job.selection.channel or "", job.mode)
    chosen = [row for row in waits if rows.notifications[row.notification_id].created_at <= old][:limit]
    for row in chosen:
        old_status, row.status = row.status, _S.SUPPRESSED
        row.reason, row.not_before = storable(f"dropped: {job.note}"), None
        row.updated_at = rows.clock.now()
        rows.record(row, _S.SUPPRESSED, row.reason, job.actor)
        count(rows, row.notification_id, old_status, _S.SUPPRESSED)
        if old_status is _S.QUEUED:
            follow(rows, row)
    return [row.id for row in chosen]
