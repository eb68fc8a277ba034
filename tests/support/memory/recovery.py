"""Issuing every pointer again, in memory."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, dead_letter, delayed, messages
from application.outbox.pointers import Pointer
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane
from domain.kernel.errors import Conflict
from tests.support.memory import outbox
from tests.support.memory.rows import DeadLetterRow, DeliveryRow, MemoryRows

_UNFINISHED = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRecovery:
    """Implements `Recovery`; everything at once.

    Args:
        process: owner of the outbox rows.
    """

    rows: MemoryRows
    process: UUID
    ids: Ids

    async def reissue(self, marker: UUID | None = None, lane: Lane | None = None) -> int:
        self._check(marker)
        unfinished = [row for row in self.rows.deliveries.values() if row.status in _UNFINISHED]
        unfinished = [row for row in unfinished if lane is None or lane.queue == self.rows.lane(row).queue]
        return self._write([self._dispatch(row) for row in sorted(unfinished, key=lambda row: row.priority)])

    async def reissue_dead(self, marker: UUID | None = None, lane: Lane | None = None) -> int:
        self._check(marker)
        letters = [letter for letter in self.rows.dead_letters.values() if letter.closed_at is None]
        wanted = [each for each in letters if lane is None or lane.queue == self._lane(each).queue]
        return self._write(
            [dead_letter(Pointer(each.delivery_id, each.seq), self._lane(each)) for each in wanted]
        )

    def _lane(self, letter: DeadLetterRow) -> Lane:
        return self.rows.lane(self.rows.deliveries[letter.delivery_id])

    def _check(self, marker: UUID | None) -> None:
        if marker is not None and marker not in self.rows.markers:
            raise Conflict("another process has issued everything meanwhile")

    def _write(self, dispatches: list[Dispatch]) -> int:
        outbox.write(self.rows, self.process, messages(dispatches, self.ids))
        return len(dispatches)

    def _dispatch(self, row: DeliveryRow) -> Dispatch:
        """A row that somebody holds keeps its number and is looked at when the lease ends."""
        now = self.rows.clock.now()
        free = row.status is DeliveryStatus.QUEUED
        row.seq, row.updated_at = row.seq + free, now
        due = row.not_before if free else row.lease_until
        wait = timedelta() if due is None else due - now
        return delayed(Pointer(row.id, row.seq), self.rows.lane(row), wait, now)
