"""The outbox table: written in the transactions of others, emptied by the relay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.core.database import Connection, Database
from adapters.postgres.core.statement import RowsStatement
from application.outbox.ports import NOTHING_EXCLUDED, Excluded, OutboxBacklog, OutboxMessage


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A message as `_WRITE` takes it."""

    id: UUID
    queue: str
    body: bytes
    priority: int
    due: datetime | None
    headers: str
    """JSON."""


_WRITE = RowsStatement(
    """
INSERT INTO outbox (id, owner, queue, body, priority, due, headers)
SELECT m.id, :owner, m.queue, m.body, m.priority, m.due, m.headers::jsonb FROM :rows AS m
""",
    _Row,
)

_DELETE = "DELETE FROM outbox WHERE id = ANY($1::uuid[])"

# Queues are few and their rows may be many: the recursion steps from queue to queue through the index.  What
# cannot be published now is passed over by whole queues, however much of it there is.
_OWNED = """
WITH RECURSIVE queues AS (
    (SELECT queue FROM outbox WHERE owner = $1 ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT n.queue FROM queues AS q CROSS JOIN LATERAL (
        SELECT o.queue FROM outbox AS o WHERE o.owner = $1 AND o.queue > q.queue ORDER BY o.queue LIMIT 1
    ) AS n
)
SELECT m.* FROM queues AS q CROSS JOIN LATERAL (
    SELECT o.id, o.queue, o.body, o.priority, o.due, o.headers FROM outbox AS o
    WHERE o.owner = $1 AND o.queue = q.queue
        AND (o.due IS NULL OR o.queue <> ALL($4::text[])) AND o.id <> ALL($5::uuid[])
    ORDER BY o.priority, o.id LIMIT $2
) AS m
WHERE q.queue <> ALL($3::text[])
ORDER BY m.priority, m.id LIMIT $2
"""

# A lock that can be had belongs to nobody alive; it is given back at the end of the statement.
_ADOPT = """
WITH RECURSIVE heaps AS (
    (SELECT owner, queue FROM outbox ORDER BY owner, queue LIMIT 1)
    UNION ALL
    SELECT n.owner, n.queue FROM heaps AS h CROSS JOIN LATERAL (
        SELECT o.owner, o.queue FROM outbox AS o WHERE (o.owner, o.queue) > (h.owner, h.queue)
        ORDER BY o.owner, o.queue LIMIT 1
    ) AS n
), strangers AS MATERIALIZED (
    SELECT w.owner, p.lock FROM (SELECT DISTINCT owner FROM heaps WHERE owner <> $1) AS w
    LEFT JOIN processes AS p ON p.id = w.owner
), dead AS MATERIALIZED (
    SELECT owner FROM strangers WHERE lock IS NULL OR pg_try_advisory_xact_lock(lock)
), orphans AS MATERIALIZED (
    SELECT m.id
    FROM dead JOIN heaps AS h ON h.owner = dead.owner CROSS JOIN LATERAL (
        SELECT o.id, o.priority FROM outbox AS o
        WHERE o.owner = h.owner AND o.queue = h.queue
            AND (o.due IS NULL OR o.queue <> ALL($4::text[])) AND o.id <> ALL($5::uuid[])
        ORDER BY o.priority, o.id LIMIT $2
    ) AS m
    WHERE h.queue <> ALL($3::text[])
    ORDER BY m.priority, m.id LIMIT $2
)
UPDATE outbox AS o SET owner = $1 FROM orphans WHERE o.id = orphans.id RETURNING o.id
"""

_BACKLOG = """
SELECT count(*) AS pending, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float AS oldest_age
FROM outbox
"""

_json = msgspec.json.Encoder()


async def write(connection: Connection, owner: UUID, messages: Sequence[OutboxMessage]) -> None:
    """Insert `messages` as rows of `owner`, within a transaction that changes what they speak of."""
    if messages:
        rows = [
            _Row(
                id=m.id,
                queue=m.queue,
                body=m.body,
                priority=m.priority,
                due=m.due,
                headers=_json.encode(m.headers).decode(),
            )
            for m in messages
        ]
        await connection.execute(*_WRITE(rows, owner=owner))


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOutbox:
    """Implements `Outbox`.

    Args:
        process: whose rows are "this process's"; it holds its lock (`adapters.postgres.core.processes`).
    """

    database: Database
    process: UUID

    async def delete(self, ids: Sequence[UUID]) -> None:
        """In id order, so that two relays of the same rows do not deadlock."""
        await self.database.fetch(_DELETE, sorted(ids))

    async def owned(self, limit: int, excluded: Excluded = NOTHING_EXCLUDED) -> list[OutboxMessage]:
        """Most urgent and oldest first."""
        rows = await self.database.fetch(_OWNED, self.process, limit, *_left_out(excluded))
        return [_message(row) for row in rows]

    async def adopt(self, limit: int, excluded: Excluded = NOTHING_EXCLUDED) -> int:
        """Rows of owners without a living session; a process cut off from the database counts as dead."""
        return len(await self.database.fetch(_ADOPT, self.process, limit, *_left_out(excluded)))

    async def backlog(self) -> OutboxBacklog:
        """Counted, not estimated: the table is small but for a broker that is away."""
        row = (await self.database.fetch(_BACKLOG))[0]
        return OutboxBacklog(row["pending"], row["oldest_age"])


def _left_out(excluded: Excluded) -> tuple[list[str], list[str], list[UUID]]:
    return list(excluded.queues), list(excluded.delayed), list(excluded.ids)


def _message(row: asyncpg.Record) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"],
        queue=row["queue"],
        body=row["body"],
        priority=row["priority"],
        due=row["due"],
        headers=msgspec.json.decode(row["headers"]),
    )
