"""Finding deliveries that are overdue.

No index of the hot tables has the status.  So the deliveries are read in the order in which they were
accepted, each once, when it is thirty seconds old; those that are open then get a row in `overdue_deliveries`
until they end.  A lane has at most `LANE_MAX` rows there: of a longer backlog the rest is read when there is
room again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from adapters.postgres.dead_letter.dead_letters import where
from adapters.postgres.outbox import rows as outbox
from adapters.postgres.outbox.tracking import LANE_MAX
from adapters.postgres.outbox.waiting import longest_waiting
from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, messages, requeued
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage, OverdueDelivery, OverdueFound, Waiting
from domain.kernel.ids import uuid7

LOCK = 0x706F_7374_0003
"""Advisory, of a transaction: one process at a time looks."""
LATE = timedelta(seconds=30)
"""How long after its time a delivery that is still open is late."""
PAUSE_MAX = timedelta(minutes=10)
"""Longest pause between two looks at a delivery that stays late; pauses double from `LATE` on."""
PAGE = 20_000
"""Deliveries read in one look."""
LOOKS = 2_000
"""Late ones looked at in one look."""

_WALKS = """
SELECT w.channel, w.priority, w.after,
    (SELECT count(*) FROM (
        SELECT FROM overdue_deliveries AS o WHERE o.channel = w.channel AND o.priority = w.priority LIMIT $1
    ) AS kept_ones) AS kept
FROM overdue_walks AS w ORDER BY w.channel, w.priority
"""

_PAGE = """
WITH page AS MATERIALIZED (
    SELECT id, status, channel, priority FROM notification_deliveries
    WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3
), open AS MATERIALIZED (
    SELECT id, channel, priority, row_number() OVER (PARTITION BY channel, priority ORDER BY id) AS place
    FROM page
    WHERE status IN ('queued', 'sending') AND ($4::text IS NULL OR channel = $4 AND priority = $5::smallint)
), room AS MATERIALIZED (
    SELECT l.channel, l.priority, $6 - (SELECT count(*) FROM (
        SELECT FROM overdue_deliveries AS o
        WHERE o.channel = l.channel AND o.priority = l.priority LIMIT $6
    ) AS kept_ones) AS places
    FROM (SELECT DISTINCT channel, priority FROM open) AS l
), placed AS MATERIALIZED (
    SELECT open.id, open.channel, open.priority, open.place <= room.places AS fits
    FROM room JOIN open ON open.channel = room.channel AND open.priority = room.priority
), kept AS (
    INSERT INTO overdue_deliveries (delivery_id, channel, priority, since, look_at)
    SELECT id, channel, priority, now(), now() FROM placed WHERE fits
    ON CONFLICT (delivery_id) DO NOTHING
), behind AS (
    INSERT INTO overdue_walks (channel, priority, after)
    SELECT channel, priority, coalesce(
        (SELECT p.id FROM page AS p WHERE p.id < f.id ORDER BY p.id DESC LIMIT 1), $1
    )
    FROM (
        SELECT DISTINCT ON (channel, priority) channel, priority, id
        FROM placed WHERE NOT fits AND $4 IS NULL ORDER BY channel, priority, id
    ) AS f
    ON CONFLICT (channel, priority) DO NOTHING
)
SELECT
    count(*) AS walked,
    (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
    (SELECT id FROM placed WHERE fits ORDER BY id DESC LIMIT 1) AS last_kept,
    EXISTS (SELECT FROM placed WHERE NOT fits) AS left_out
FROM page
"""

# A delivery whose time has not come is looked at again when it has; the row of one that has ended is deleted.
_LOOK = """
WITH due AS MATERIALIZED (
    SELECT delivery_id, tries FROM overdue_deliveries WHERE look_at <= now() ORDER BY look_at LIMIT $1
), seen AS MATERIALIZED (
    SELECT
        due.delivery_id, due.tries, d.seq, d.channel, d.priority, d.id IS NOT NULL AS open,
        (SELECT n.mode FROM notifications AS n WHERE n.id = d.notification_id) AS mode,
        coalesce(
            CASE d.status WHEN 'queued' THEN d.not_before ELSE d.lease_until END, d.epoch_at, d.created_at
        ) AS since
    FROM due LEFT JOIN notification_deliveries AS d
        ON d.id = due.delivery_id AND d.status IN ('queued', 'sending')
), finished AS (
    DELETE FROM overdue_deliveries AS o USING seen AS s WHERE o.delivery_id = s.delivery_id AND NOT s.open
), waits AS (
    UPDATE overdue_deliveries AS o SET
        since = s.since,
        look_at = CASE
            WHEN s.since > now() - $2::interval THEN s.since + $2::interval
            ELSE now() + least($4::interval * 2 ^ least(s.tries, 10), $3::interval)
        END,
        tries = CASE WHEN s.since > now() - $2::interval THEN 0 ELSE s.tries + 1 END
    FROM seen AS s WHERE o.delivery_id = s.delivery_id AND s.open
)
SELECT
    delivery_id AS id, seq, channel, priority, mode, open AND since <= now() - $2::interval AS late
FROM seen
"""

_STILL_LATE = RowsStatement(
    """
SELECT d.id, d.seq, d.channel, d.priority,
    (SELECT n.mode FROM notifications AS n WHERE n.id = d.notification_id) AS mode
FROM :rows AS p JOIN notification_deliveries AS d ON d.id = p.delivery AND d.seq = p.seq AND (
    d.status = 'queued' AND (d.not_before IS NULL OR d.not_before <= now())
    OR d.status = 'sending' AND d.lease_until <= now()
)
ORDER BY d.id
""",
    Pointer,
)

_GO = "UPDATE overdue_walks SET after = $3 WHERE channel = $1 AND priority = $2"
_END = "DELETE FROM overdue_walks WHERE channel = $1 AND priority = $2"
MAIN = ("", 0)
"""Key of the walk through all deliveries; the other rows are walks of lanes that had no room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOverdue:
    """Implements `Overdue`.

    Args:
        process: owner of the outbox rows.
        late: see `LATE`.
        pause: until one that is late is found again; doubles.
        lane_max: see `tracking.LANE_MAX`.
        page_max: see `PAGE`.
    """

    database: Database
    process: UUID
    ids: Ids
    late: timedelta = LATE
    pause: timedelta = LATE
    lane_max: int = LANE_MAX
    page_max: int = PAGE

    async def find(self) -> OverdueFound:
        return await self.database.run(self._find)

    async def issue(self, late: Sequence[OverdueDelivery]) -> list[OutboxMessage]:
        given = sorted((each.pointer for each in late), key=lambda pointer: pointer.delivery.int)

        async def work(connection: Connection) -> list[OutboxMessage]:
            rows = await connection.fetch(*_STILL_LATE(given))
            made = messages(map(_dispatch, rows), self.ids)
            await outbox.write(connection, self.process, made)
            return made

        return await self.database.run(work)

    async def longest(self) -> list[Waiting]:
        return await longest_waiting(self.database)

    async def _find(self, connection: Connection) -> OverdueFound:
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
            return OverdueFound()
        now = await connection.fetchval("SELECT now()")
        more = await self._walk(connection, now)
        rows = await connection.fetch(_LOOK, LOOKS, self.late, PAUSE_MAX, self.pause)
        late = [
            OverdueDelivery(pointer=pointer, lane=lane)
            for pointer, lane in (where(row) for row in rows if row["late"])
        ]
        return OverdueFound(late=late, more=more or len(rows) == LOOKS)

    async def _walk(self, connection: Connection, now: datetime) -> bool:
        """The walk through all, and those of the lanes that have room again; True when there is more."""
        walks = {
            (row["channel"], row["priority"]): row for row in await connection.fetch(_WALKS, self.lane_max)
        }
        main = walks.pop(MAIN)
        more = False
        for (channel, priority), row in walks.items():
            if row["kept"] > self.lane_max // 2:
                continue
            page = await self._page(connection, row["after"], main["after"], channel, priority)
            ended = page["walked"] < self.page_max and not page["left_out"]
            more = more or not ended
            if ended:
                await connection.execute(_END, channel, priority)
            else:
                on = page["last_kept"] if page["left_out"] else page["last"]
                await connection.execute(_GO, channel, priority, on or row["after"])
        young = uuid7(int((now - self.late).timestamp() * 1000), 0)
        page = await self._page(connection, main["after"], young, None, None)
        if page["last"] is not None:
            await connection.execute(_GO, *MAIN, page["last"])
        return more or page["walked"] == self.page_max

    async def _page(
        self, connection: Connection, after: UUID, until: UUID, channel: str | None, priority: int | None
    ) -> asyncpg.Record:
        return await connection.fetchrow(_PAGE, after, until, self.page_max, channel, priority, self.lane_max)


def _dispatch(row: asyncpg.Record) -> Dispatch:
    return requeued(*where(row), due=None, outcome=None)
