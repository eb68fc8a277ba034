"""Jobs on PostgreSQL: rows, and their chunks.

A chunk is one transaction that holds the job's row: the dead letters it closes, the messages it makes and how
far the job has come are committed together or not at all, so that a kill neither loses nor doubles anything.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import func, literal, select, tuple_

from adapters.postgres.core.database import Database
from adapters.postgres.core.operation_tables import dead_letter_queue, jobs
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import compiled
from adapters.postgres.dead_letter.dead_letters import discard, replay
from adapters.postgres.dead_letter.reader import matching
from adapters.postgres.delivery import backlog
from application.dead_letter.ports import Selection
from application.job.ports import Job, JobKind, NewJob, Step
from application.kernel.ports import Ids
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage
from domain.kernel.text import storable

_L = dead_letter_queue.c
_ORDER = (_L.created_at, _L.delivery_id, _L.seq)
_COLUMNS = ", ".join(Job.__struct_fields__)
_J = jobs.c
_ROWS = select(*(_J[name] for name in Job.__struct_fields__))

_CREATE = f"""
INSERT INTO jobs (id, kind, mode, selection, actor, note, total) VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING {_COLUMNS}
"""  # noqa: S608  composed of constants

_FIND = f"SELECT {_COLUMNS} FROM jobs WHERE id = $1 AND mode = $2"  # noqa: S608  composed of constants

_CANCEL = """
UPDATE jobs SET cancelled_at = now(), updated_at = now()
WHERE id = $1 AND mode = $2 AND finished_at IS NULL AND cancelled_at IS NULL
"""

_UNFINISHED = """
SELECT id FROM jobs WHERE finished_at IS NULL AND id <> ALL($2::uuid[]) ORDER BY created_at, id LIMIT $1
"""

_TAKE = """
SELECT kind, selection, actor, note, position, created_at, cancelled_at FROM jobs
WHERE id = $1 AND finished_at IS NULL FOR UPDATE SKIP LOCKED
"""

# What others have closed before it was their turn is skipped, too: at the end the figures add up.
_ADVANCE = f"""
UPDATE jobs SET
    done = done + $2,
    skipped = greatest(skipped + $3, CASE WHEN $5 AND cancelled_at IS NULL THEN total - done - $2 ELSE 0 END),
    total = greatest(total, done + $2 + skipped + $3),
    position = coalesce($4, position),
    finished_at = CASE WHEN $5 THEN now() END,
    updated_at = now()
WHERE id = $1
RETURNING {_COLUMNS}
"""  # noqa: S608  composed of constants

_FAIL = """
UPDATE jobs SET error = $2, finished_at = now(), updated_at = now() WHERE id = $1 AND finished_at IS NULL
"""

_UNFINISHED_COUNT = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"

_json = msgspec.json.Encoder()
_selection = msgspec.json.Decoder(Selection)
_position = msgspec.json.Decoder(tuple[datetime, UUID, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresJobs:
    """Implements `Jobs`."""

    database: Database

    async def create(self, new: NewJob) -> Job:
        """One transaction, so that the total is what stood when the job was made."""
        counting = select(func.count()).where(*matching(new.selection), _L.created_at <= func.now())

        async def work(connection: Connection) -> Job:
            if new.kind is JobKind.DROP:
                total = await backlog.count(connection, new.selection.channel or "", new.selection.mode)
            else:
                total = await connection.fetchval(*compiled(counting))
            row = await connection.fetchrow(
                _CREATE,
                new.id,
                new.kind,
                new.selection.mode,
                _json.encode(new.selection).decode(),
                storable(new.actor),
                storable(new.note),
                total,
            )
            return _job(row)

        return await self.database.run(work)

    async def find(self, job: UUID, mode: str) -> Job | None:
        """One statement, by the key."""
        rows = await self.database.fetch(_FIND, job, mode)
        return _job(rows[0]) if rows else None

    async def page(self, mode: str, before: UUID | None, limit: int) -> list[Job]:
        """In the order of their ids, which is that of their times, newest first."""
        query = _ROWS.where(_J.mode == mode).order_by(_J.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_J.id < before)
        return [_job(row) for row in await self.database.fetch_list(*compiled(query))]

    async def cancel(self, job: UUID, mode: str) -> Job | None:
        """Waits until a chunk that is being worked on has been committed."""
        await self.database.fetch(_CANCEL, job, mode)
        return await self.find(job, mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresJobChunks:
    """Implements `JobChunks`.

    Args:
        process: owner of the outbox rows.
    """

    database: Database
    process: UUID
    ids: Ids

    async def unfinished(self, limit: int, resting: Collection[UUID] = ()) -> list[UUID]:
        """Oldest first, from an index that holds unfinished jobs alone."""
        return [row["id"] for row in await self.database.fetch(_UNFINISHED, limit, list(resting))]

    async def advance(self, job: UUID, limit: int) -> Step | None:
        """One transaction, which locks the job: a second runner gets None at once."""
        return await self.database.run(partial(self._advance, job, limit))

    async def fail(self, job: UUID, error: str) -> None:
        """Finish the job with this error; one that is finished already stays as it is."""
        await self.database.fetch(_FAIL, job, storable(error))

    async def _advance(self, job: UUID, limit: int, connection: Connection) -> Step | None:
        row = await connection.fetchrow(_TAKE, job)
        if row is None:
            return None
        if row["kind"] == JobKind.DROP:
            return await _drop(connection, job, row)
        dead_letters = [] if row["cancelled_at"] else await _next(connection, row, limit)
        closed, made = await self._close(
            connection, row, [Pointer(each[1], each[2]) for each in dead_letters]
        )
        position = _json.encode(dead_letters[-1]).decode() if dead_letters else None
        after = await connection.fetchrow(
            _ADVANCE, job, closed, len(dead_letters) - closed, position, len(dead_letters) < limit
        )
        return Step(_job(after), made)

    async def _close(
        self, connection: Connection, row: asyncpg.Record, dead_letters: Sequence[Pointer]
    ) -> tuple[int, list[OutboxMessage]]:
        if not dead_letters:
            return 0, []
        if row["kind"] == JobKind.DISCARD:
            return len(await discard(connection, dead_letters, row["actor"], row["note"] or "")), []
        reopened = await replay(connection, self.process, self.ids, dead_letters, row["actor"])
        return len(reopened.deliveries), reopened.messages


async def _drop(connection: Connection, job: UUID, row: asyncpg.Record) -> Step:
    """Suppress one page of a channel's backlog; the pointers of these deliveries are stale then."""
    last, dropped = None, 0
    if not row["cancelled_at"]:
        wanted = _selection.decode(row["selection"])
        after = None if row["position"] is None else _position.decode(row["position"])[1]
        last, dropped = await backlog.drop(
            connection,
            wanted.channel or "",
            wanted.mode,
            after=after,
            until=row["created_at"],
            reason=f"dropped: {row['note']}",
            actor=row["actor"],
        )
    position = None if last is None else _json.encode((row["created_at"], last, 0)).decode()
    return Step(_job(await connection.fetchrow(_ADVANCE, job, dropped, 0, position, last is None)), [])


async def unfinished_count(database: Database) -> int:
    """Count the jobs that are not finished: a figure for the metrics.

    Raises:
        StoreUnavailable.
    """
    return int((await database.fetch(_UNFINISHED_COUNT))[0][0])


async def _next(connection: Connection, row: asyncpg.Record, limit: int) -> list[tuple[datetime, UUID, int]]:
    """The next dead letters of the job; those that were written after it was made do not belong to it."""
    wanted = _selection.decode(row["selection"])
    query = select(*_ORDER).where(*matching(wanted), _L.created_at <= row["created_at"])
    if row["position"] is not None:
        position: tuple[Any, ...] = _position.decode(row["position"])  # the job's own kind knows
        query = query.where(_L.created_at >= position[0], tuple_(*_ORDER) > tuple_(*map(literal, position)))
    rows = await connection.fetch(*compiled(query.order_by(*_ORDER).limit(limit)))
    return [tuple(each) for each in rows]


def _job(row: Mapping[str, object]) -> Job:
    return msgspec.convert(dict(row), Job)
