"""What is overdue, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.kernel.ports import Ids
from application.outbox.dispatch import messages, requeued
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage, OverdueDelivery, OverdueFound, Waiting
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane
from tests.support.memory import outbox
from tests.support.memory.rows import DeliveryRow, MemoryRows

LATE = timedelta(seconds=30)
PAUSE_MAX = timedelta(minutes=10)
_OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryOverdue:
    """Implements `Overdue`; looks at everything each time.

    Args:
        process: owner of the outbox rows.
        late: what is not back so long after its time is late.
        pause: until one that is late is found again; doubles.
    """

    rows: MemoryRows
    process: UUID
    ids: Ids
    late: timedelta = LATE
    pause: timedelta = LATE

    async def find(self) -> OverdueFound:
        now, found, kept = self.rows.clock.now(), list[OverdueDelivery](), dict[UUID, tuple[datetime, int]]()
        for row in self._late(now):
            look_at, tries = self.rows.overdue.get(row.id, (now, 0))
            if look_at <= now:
                found.append(OverdueDelivery(pointer=Pointer(row.id, row.seq), lane=self.rows.lane(row)))
                look_at, tries = now + min(self.pause * 2**tries, PAUSE_MAX), min(tries + 1, 10)
            kept[row.id] = look_at, tries
        self.rows.overdue = kept
        return OverdueFound(late=found)

    async def issue(self, late: Sequence[OverdueDelivery]) -> list[OutboxMessage]:
        now, dispatches = self.rows.clock.now(), []
        for each in late:
            row = self.rows.deliveries[each.pointer.delivery]
            if row.seq == each.pointer.seq and row.status in _OPEN and (_since(row) or now) <= now:
                dispatches.append(requeued(each.pointer, each.lane, due=None, outcome=None))
        made = messages(dispatches, self.ids)
        outbox.write(self.rows, self.process, made)
        return made

    async def longest(self) -> list[Waiting]:
        now, oldest = self.rows.clock.now(), dict[Lane, datetime]()
        for id_ in self.rows.overdue:
            row = self.rows.deliveries[id_]
            if row.status in _OPEN:
                lane, since = self.rows.lane(row), _since(row) or row.created_at
                oldest[lane] = min(since, oldest.get(lane, since))
        return [
            Waiting(lane=lane, since=since, age=now - since, paused=self._paused(lane))
            for lane, since in oldest.items()
        ]

    def _late(self, now: datetime) -> list[DeliveryRow]:
        return [
            row
            for row in self.rows.deliveries.values()
            if row.status in _OPEN and (_since(row) or row.epoch_at or row.created_at) <= now - self.late
        ]

    def _paused(self, lane: Lane) -> bool:
        found = self.rows.channels.get(lane.channel)
        return found is not None and (found.value.paused or not found.value.enabled)


def _since(row: DeliveryRow) -> datetime | None:
    return row.not_before if row.status is DeliveryStatus.QUEUED else row.lease_until
