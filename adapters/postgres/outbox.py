"""The outbox table: written in the transactions of others, emptied by the relay."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.database import Connection, Database
from application.ports.outbox import Backlog, OutboxMessage

_WRITE = """
INSERT INTO outbox (id, owner, queue, body, priority, due, headers)
SELECT m.id, $1, m.queue, m.body, m.priority, m.due, m.headers
FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::smallint[], $6::timestamptz[], $7::jsonb[])
    AS m (id, queue, body, priority, due, headers)
"""

_DELETE = "DELETE FROM outbox WHERE id = ANY($1::uuid[])"

_OWNED = """
SELECT id, queue, body, priority, due, headers FROM outbox WHERE owner = $1 ORDER BY priority, id LIMIT $2
"""

# The owners are few and their rows may be many: the recursion steps from owner to owner through the index.
# A lock that can be had belongs to nobody alive; it is given back at the end of the statement.
_ADOPT = """
WITH RECURSIVE owners AS (
    (SELECT owner FROM outbox ORDER BY owner LIMIT 1)
    UNION ALL
    SELECT (SELECT o.owner FROM outbox AS o WHERE o.owner > w.owner ORDER BY o.owner LIMIT 1)
    FROM owners AS w WHERE w.owner IS NOT NULL
), strangers AS MATERIALIZED (
    SELECT w.owner, p.lock FROM owners AS w LEFT JOIN processes AS p ON p.id = w.owner WHERE w.owner <> $1
), dead AS MATERIALIZED (
    SELECT owner FROM strangers WHERE lock IS NULL OR pg_try_advisory_xact_lock(lock)
), orphans AS MATERIALIZED (
    SELECT o.id
    FROM dead CROSS JOIN LATERAL (
        SELECT id, priority FROM outbox WHERE owner = dead.owner ORDER BY priority, id LIMIT $2
    ) AS o
    ORDER BY o.priority, o.id LIMIT $2
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
        await connection.execute(
            _WRITE,
            owner,
            [m.id for m in messages],
            [m.queue for m in messages],
            [m.body for m in messages],
            [m.priority for m in messages],
            [m.due for m in messages],
            [_json.encode(m.headers).decode() for m in messages],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOutbox:
    """Implements `Outbox`.

    Args:
        process: whose rows are "this process's"; it holds its lock (`adapters.postgres.processes`).
    """

    database: Database
    process: UUID

    async def delete(self, ids: Sequence[UUID]) -> None:
        """In id order, so that two relays of the same rows do not deadlock."""
        await self.database.fetch(_DELETE, sorted(ids))

    async def owned(self, limit: int) -> list[OutboxMessage]:
        """Most urgent and oldest first."""
        return [_message(row) for row in await self.database.fetch(_OWNED, self.process, limit)]

    async def adopt(self, limit: int) -> int:
        """Rows of owners without a living session; a process cut off from the database counts as dead."""
        return len(await self.database.fetch(_ADOPT, self.process, limit))

    async def backlog(self) -> Backlog:
        """Counted, not estimated: the table is small but for a broker that is away."""
        row = (await self.database.fetch(_BACKLOG))[0]
        return Backlog(row["pending"], row["oldest_age"])


def _message(row: asyncpg.Record) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"],
        queue=row["queue"],
        body=row["body"],
        priority=row["priority"],
        due=row["due"],
        headers=msgspec.json.decode(row["headers"]),
    )
