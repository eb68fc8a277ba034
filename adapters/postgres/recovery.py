"""Issuing every pointer again, from the rows: after the broker lost its data, and when embedded mode starts.

Harmless at any time: a pointer that is still on its way becomes stale, or says the same twice.  Of dead
letters that are still in their queues there are two then: the second to be moved is stale.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg

from adapters.postgres import outbox
from adapters.postgres.database import Connection, Database
from application.messages.pointers import Pointer
from application.messages.travel import Trip, back, dead_letter, messages
from application.ports.system import Ids
from domain.kernel.channel import Lane, Priority
from domain.kernel.ids import uuid7

AGE_MAX = timedelta(days=62)
"""Deliveries accepted longer ago than this are left alone: every class gives up much sooner."""

_PAGE = """
WITH page AS MATERIALIZED (
    SELECT id, status FROM notification_deliveries WHERE id > $1 ORDER BY id LIMIT $2
)
SELECT
    (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
    ARRAY(SELECT id FROM page WHERE status IN ('queued', 'sending') ORDER BY id) AS unfinished,
    now() AS now
"""

# A row that somebody holds keeps its number and is looked at when the lease ends.
_REISSUE = """
UPDATE notification_deliveries AS d SET seq = d.seq + (d.status = 'queued')::int, updated_at = now()
FROM unnest($1::uuid[]) AS p (id)
WHERE d.id = p.id AND d.status IN ('queued', 'sending')
RETURNING d.id, d.seq, d.channel, d.priority,
    CASE d.status WHEN 'queued' THEN d.not_before ELSE d.lease_until END AS due
"""

_DEAD = """
SELECT delivery_id, seq, channel, priority FROM dead_letter_queue
WHERE closed_at IS NULL AND (delivery_id, seq) > ($1, $2)
ORDER BY delivery_id, seq LIMIT $3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresRecovery:
    """Implements `Recovery`; walks the deliveries in the order in which they were accepted.

    Args:
        process: owner of the outbox rows.
    """

    database: Database
    process: UUID
    ids: Ids

    async def reissue(self, batch: int = 5_000) -> int:
        """Put a pointer to every unfinished delivery into the outbox; return how many.

        Held ones (`unknown`) rest.  What is accepted meanwhile has pointers of its own.

        Args:
            batch: rows looked at in one transaction.

        Raises:
            StoreUnavailable: run it again.
        """
        now = (await self.database.fetch("SELECT now()"))[0][0]
        after: UUID | None = uuid7(int((now - AGE_MAX).timestamp() * 1000), 0)
        issued = 0
        while after is not None:
            after, count = await self.database.run(partial(self._page, after, batch))
            issued += count
        return issued

    async def reissue_dead(self, batch: int = 5_000) -> int:
        """Put the pointer of every open dead letter, as it was, into the outbox; return how many.

        Raises:
            StoreUnavailable: run it again.
        """
        after: tuple[UUID, int] | None = (UUID(int=0), 0)
        issued = 0
        while after is not None:
            after, count = await self.database.run(partial(self._dead, after, batch))
            issued += count
        return issued

    async def _dead(
        self, after: tuple[UUID, int], batch: int, connection: Connection
    ) -> tuple[tuple[UUID, int] | None, int]:
        rows = await connection.fetch(_DEAD, *after, batch)
        trips = [
            dead_letter(
                Pointer(row["delivery_id"], row["seq"]), Lane(row["channel"], Priority(row["priority"]))
            )
            for row in rows
        ]
        await outbox.write(connection, self.process, messages(trips, self.ids))
        last = (rows[-1]["delivery_id"], rows[-1]["seq"]) if len(rows) == batch else None
        return last, len(rows)

    async def _page(self, after: UUID, batch: int, connection: Connection) -> tuple[UUID | None, int]:
        page = await connection.fetchrow(_PAGE, after, batch)
        rows = await connection.fetch(_REISSUE, page["unfinished"])
        trips = [_trip(row, page["now"]) for row in rows]
        await outbox.write(connection, self.process, messages(trips, self.ids))
        return page["last"], len(rows)


def _trip(row: asyncpg.Record, now: datetime) -> Trip:
    wait = timedelta() if row["due"] is None else row["due"] - now
    lane = Lane(row["channel"], Priority(row["priority"]))
    return back(Pointer(row["id"], row["seq"]), lane, wait, now)
