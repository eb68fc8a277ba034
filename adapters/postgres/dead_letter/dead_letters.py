"""Dead letters on PostgreSQL: written, replayed, discarded.

Locks are taken in one order: letters, deliveries, notifications; by id in each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from adapters.postgres.dead_letter.insert import insert_dead_letters
from adapters.postgres.delivery.counters import counted
from adapters.postgres.delivery.next_channel import follow
from adapters.postgres.outbox import rows as outbox
from adapters.postgres.outbox.tracking import OpenDelivery, track
from application.dead_letter.ports import GivenUp, Reopened
from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, dead_letter, messages, requeued
from application.outbox.pointers import Pointer
from domain.kernel.channel import Lane, Mode, Priority
from domain.kernel.text import storable

MODE = "(SELECT n.mode FROM notifications AS n WHERE n.id = m.notification_id) AS mode"
"""Of a moved row `m`: it chooses the lane."""

# From `unknown` (a lost worker's call, told in the history) and from `queued` alike a delivery may fail.
_GIVE_UP = RowsStatement(
    f"""
WITH moved AS (
    UPDATE notification_deliveries AS d SET
        status = 'failed',
        reason = :reason,
        seq = d.seq + 1,
        attempt = d.attempt + 1,
        history_n = d.history_n + 1,
        strikes = 0,
        not_before = NULL,
        lease_until = NULL,
        updated_at = now()
    FROM :rows AS p
    WHERE d.id = p.delivery AND d.seq = p.seq AND d.status IN ('queued', 'sending') AND d.begun_at IS NULL
    RETURNING
        d.id, d.notification_id, d.channel, d.priority, d.rank, d.provider, d.status, d.seq,
        d.attempts_counted, d.reason, d.history_n, 'queued' AS old
), counts AS ({counted("moved")}), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status, reason)
    SELECT id, history_n, status, reason FROM moved
), unsure AS (
    UPDATE unknown_attempts AS u SET resolution = 'failed', resolved_at = now()
    FROM moved AS m WHERE u.delivery_id = m.id AND u.resolved_at IS NULL
)
SELECT
    p.delivery AS given, p.seq AS given_seq, m.id, m.notification_id, m.channel, m.priority, m.rank,
    m.provider, m.status, m.seq, m.attempts_counted, m.reason, {MODE}
FROM :rows AS p
LEFT JOIN moved AS m ON m.id = p.delivery AND m.seq = p.seq + 1
LEFT JOIN notification_deliveries AS d ON d.id = p.delivery AND d.seq = p.seq
WHERE m.id IS NOT NULL OR d.begun_at IS NOT NULL
""",  # noqa: S608  composed of constants
    Pointer,
)

# A letter that another session is closing is waited for, and is left as that session leaves it.
_REPLAY = RowsStatement(
    f"""
WITH letters AS MATERIALIZED (
    SELECT q.delivery_id AS id, q.seq, EXISTS (
        SELECT FROM notifications AS n WHERE n.id = q.notification_id AND n.cancelled_at IS NOT NULL
    ) AS cancelled
    FROM :rows AS p
    JOIN dead_letter_queue AS q ON q.delivery_id = p.delivery AND q.seq = p.seq
    WHERE q.closed_at IS NULL
    ORDER BY q.delivery_id, q.seq
    FOR UPDATE OF q
), moved AS (
    UPDATE notification_deliveries AS d SET
        status = 'queued',
        reason = NULL,
        seq = d.seq + 1,
        epoch = d.epoch + 1,
        epoch_at = now(),
        attempts_counted = 0,
        strikes = 0,
        history_n = d.history_n + 1,
        not_before = NULL,
        updated_at = now()
    FROM letters AS l
    WHERE d.id = l.id AND d.seq = l.seq AND d.status = 'failed' AND NOT l.cancelled
    RETURNING
        d.id, d.notification_id, d.channel, d.priority, d.status, d.seq, d.history_n, l.seq AS letter,
        'failed' AS old
), counts AS ({counted("moved")}), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status, reason, actor)
    SELECT id, history_n, status, 'replayed', :actor FROM moved
), closed AS (
    UPDATE dead_letter_queue AS q SET closed_at = now(), closed_by = :actor, resolution = 'replayed'
    FROM moved AS m WHERE q.delivery_id = m.id AND q.seq = m.letter
), dropped AS (
    UPDATE dead_letter_queue AS q SET closed_at = now(), resolution = 'discarded', note = 'cancelled'
    FROM letters AS l WHERE q.delivery_id = l.id AND q.seq = l.seq AND l.cancelled
)
SELECT m.id, m.channel, m.priority, m.seq, {MODE} FROM moved AS m
""",  # noqa: S608  composed of constants
    Pointer,
)

_DISCARD = RowsStatement(
    """
WITH letters AS MATERIALIZED (
    SELECT q.delivery_id AS id, q.seq
    FROM :rows AS p
    JOIN dead_letter_queue AS q ON q.delivery_id = p.delivery AND q.seq = p.seq
    WHERE q.closed_at IS NULL
    ORDER BY q.delivery_id, q.seq
    FOR UPDATE OF q
)
UPDATE dead_letter_queue AS q
SET closed_at = now(), closed_by = :actor, resolution = 'discarded', note = :note
FROM letters AS l WHERE q.delivery_id = l.id AND q.seq = l.seq
RETURNING q.delivery_id
""",
    Pointer,
)

_OPEN = "SELECT count(*) FROM dead_letter_queue WHERE closed_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDeadLetters:
    """Implements `DeadLetters`.

    Args:
        process: owner of the outbox rows.
    """

    database: Database
    process: UUID
    ids: Ids

    async def give_up(self, pointers: Sequence[Pointer], reason: str) -> GivenUp:
        """One transaction: the deliveries fail, and their dead letters and messages are written."""

        async def work(connection: Connection) -> GivenUp:
            said = storable(reason) or "failed"
            rows = await connection.fetch(*_GIVE_UP(_in_order(pointers), reason=said))
            busy = [Pointer(row["given"], row["given_seq"]) for row in rows if row["id"] is None]
            failed = [row for row in rows if row["id"] is not None]
            made = messages(await failures(connection, failed), self.ids)
            await outbox.write(connection, self.process, made)
            return GivenUp(made, busy)

        return await self.database.run(work)

    async def replay(self, dead_letters: Sequence[Pointer], actor: str) -> Reopened:
        """One transaction: the letters are closed, the deliveries queued, and their messages written."""
        return await self.database.run(
            lambda connection: replay(connection, self.process, self.ids, dead_letters, actor)
        )

    async def discard(self, dead_letters: Sequence[Pointer], actor: str, note: str) -> list[UUID]:
        """One statement, which closes the letters that are open."""
        return await discard(self.database, dead_letters, actor, note)


async def replay(
    connection: Connection, process: UUID, ids: Ids, dead_letters: Sequence[Pointer], actor: str
) -> Reopened:
    """See `DeadLetters.replay`; within a transaction."""
    rows = await connection.fetch(*_REPLAY(_in_order(dead_letters), actor=actor))
    await track(connection, [OpenDelivery(row["id"], row["channel"], row["priority"]) for row in rows])
    made = messages((requeued(*where(row), due=None, outcome=None) for row in rows), ids)
    await outbox.write(connection, process, made)
    return Reopened([row["id"] for row in rows], made)


async def failures(connection: Connection, failed: Sequence[asyncpg.Record]) -> list[Dispatch]:
    """What follows deliveries that have just failed: the next channel has its turn, or a dead letter is
    written.

    Args:
        failed: `id`, `rank`, what `where` reads, and what `insert_dead_letters` takes.
    """
    taking_over = await follow(connection, [row["id"] for row in failed if row["rank"] is not None])
    dead = [row for row in failed if row["id"] not in taking_over]
    await insert_dead_letters(connection, dead)
    nexts = [requeued(*where(row), due=None, outcome=None) for row in taking_over.values()]
    return nexts + [dead_letter(*where(row)) for row in dead]


async def discard(
    connection: Connection | Database, dead_letters: Sequence[Pointer], actor: str, note: str
) -> list[UUID]:
    """See `DeadLetters.discard`."""
    rows = await connection.fetch(*_DISCARD(_in_order(dead_letters), actor=actor, note=storable(note)))
    return [row["delivery_id"] for row in rows]


async def open_count(database: Database) -> int:
    """Count the letters that nobody has closed: a figure for the metrics.

    Raises:
        StoreUnavailable.
    """
    return int((await database.fetch(_OPEN))[0][0])


def where(row: asyncpg.Record) -> tuple[Pointer, Lane]:
    """The pointer of a delivery (`id`, `seq`), and its lane (`channel`, `priority`, `mode`)."""
    lane = Lane(row["channel"], Priority(row["priority"]), Mode(row["mode"]))
    return Pointer(row["id"], row["seq"]), lane


def _in_order(pointers: Sequence[Pointer]) -> list[Pointer]:
    """Each once, in the order in which rows are locked."""
    return sorted(set(pointers), key=lambda p: (p.delivery.int, p.seq))
