"""Jobs, in memory."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.job.ports import Job, JobKind, NewJob, Step
from application.kernel.ports import Ids
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage
from domain.kernel.text import storable
from tests.support.memory.backlog import drop, waiting
from tests.support.memory.dead_letter_reader import matches, order
from tests.support.memory.dead_letters import MemoryDeadLetters
from tests.support.memory.rows import DeadLetterRow, JobRow, MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryJobs:
    """Implements `Jobs`."""

    rows: MemoryRows

    async def create(self, new: NewJob) -> Job:
        now = self.rows.clock.now()
        self.rows.jobs[new.id] = row = JobRow(
            id=new.id,
            kind=new.kind,
            selection=new.selection,
            actor=storable(new.actor) or "",
            note=storable(new.note),
            total=0,
            created_at=now,
            updated_at=now,
        )
        if new.kind is JobKind.DROP:
            row.total = len(waiting(self.rows, new.selection.channel or "", row.mode))
        else:
            row.total = len(_chosen(self.rows, row))
        return _shown(row)

    async def find(self, job: UUID, mode: str) -> Job | None:
        row = self.rows.jobs.get(job)
        return None if row is None or row.mode != mode else _shown(row)

    async def page(self, mode: str, before: UUID | None, limit: int) -> list[Job]:
        found = [
            row for row in self.rows.jobs.values() if row.mode == mode and (before is None or row.id < before)
        ]
        return [_shown(row) for row in sorted(found, key=lambda row: row.id, reverse=True)[:limit]]

    async def cancel(self, job: UUID, mode: str) -> Job | None:
        row = self.rows.jobs.get(job)
        if row is None or row.mode != mode:
            return None
        if row.finished_at is None and row.cancelled_at is None:
            row.cancelled_at = row.updated_at = self.rows.clock.now()
        return _shown(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryJobChunks:
    """Implements `JobChunks`.

    Args:
        process: owner of the outbox rows.
    """

    rows: MemoryRows
    process: UUID
    ids: Ids

    async def unfinished(self, limit: int, resting: Collection[UUID] = ()) -> list[UUID]:
        open_ = [row for row in self.rows.jobs.values() if row.finished_at is None and row.id not in resting]
        return [row.id for row in sorted(open_, key=lambda row: (row.created_at, row.id))[:limit]]

    async def advance(self, job: UUID, limit: int) -> Step | None:
        row = self.rows.jobs.get(job)
        if row is None or row.finished_at is not None:
            return None
        if row.kind is JobKind.DROP:
            return self._drop(row, limit)
        letters = [] if row.cancelled_at else _chosen(self.rows, row)[:limit]
        closed, made = await self._close(row, [Pointer(each.delivery_id, each.seq) for each in letters])
        row.updated_at = self.rows.clock.now()
        row.done, row.skipped = row.done + closed, row.skipped + len(letters) - closed
        row.total = max(row.total, row.done + row.skipped)
        if letters:
            row.position = order(letters[-1])
        if len(letters) < limit:
            row.finished_at = row.updated_at
            row.skipped = row.skipped if row.cancelled_at else row.total - row.done
        return Step(_shown(row), made)

    def _drop(self, row: JobRow, limit: int) -> Step:
        dropped = [] if row.cancelled_at else drop(self.rows, row, limit)
        row.updated_at = self.rows.clock.now()
        row.done += len(dropped)
        row.total = max(row.total, row.done)
        if len(dropped) < limit:
            row.finished_at = row.updated_at
            row.skipped = 0 if row.cancelled_at else row.total - row.done
        return Step(_shown(row), [])

    async def fail(self, job: UUID, error: str) -> None:
        row = self.rows.jobs[job]
        if row.finished_at is None:
            row.error, row.finished_at = storable(error), self.rows.clock.now()

    async def _close(self, row: JobRow, letters: list[Pointer]) -> tuple[int, list[OutboxMessage]]:
        dead = MemoryDeadLetters(rows=self.rows, process=self.process, ids=self.ids)
        if row.kind is JobKind.DISCARD:
            return len(await dead.discard(letters, row.actor, row.note or "")), []
        reopened = await dead.replay(letters, row.actor)
        return len(reopened.deliveries), reopened.messages


def _chosen(rows: MemoryRows, row: JobRow) -> list[DeadLetterRow]:
    """The letters still before it, in order."""
    found = [
        each
        for each in rows.dead_letters.values()
        if matches(each, row.selection)
        and each.created_at <= row.created_at
        and (row.position is None or order(each) > row.position)
    ]
    return sorted(found, key=order)


def _shown(row: JobRow) -> Job:
    return msgspec.convert({name: getattr(row, name) for name in Job.__struct_fields__}, Job)
