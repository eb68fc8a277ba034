"""Calls whose outcome nobody knows, on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from adapters.postgres.attempt.unknown_page import page
from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import compiled
from adapters.postgres.dead_letter.dead_letters import MODE, failures, where
from adapters.postgres.delivery.counters import counted
from adapters.postgres.delivery.next_channel import follow
from adapters.postgres.outbox import rows as outbox
from adapters.postgres.outbox.tracking import OpenDelivery, track
from application.attempt.ports import Resolution, UnknownAttempt, UnknownFilter
from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, messages, requeued
from application.outbox.ports import OutboxMessage
from domain.delivery.delivery import DeliveryStatus, advance
from domain.kernel.errors import Conflict, NotFound

# The newest unresolved attempt of a delivery that stands as unknown is the one it rests on.
_HELD = "d.status = 'unknown' AND u.resolved_at IS NULL"

_FIND = f"""
SELECT {_HELD} AS held, u.resolved_at IS NOT NULL AS resolved, d.status
FROM unknown_attempts AS u
JOIN notifications AS n ON n.id = u.notification_id AND n.mode = $3
JOIN notification_deliveries AS d ON d.id = u.delivery_id
WHERE u.delivery_id = $1 AND u.attempt = $2
FOR UPDATE OF u
"""  # noqa: S608  composed of constants

_RESOLVE = f"""
WITH moved AS (
    UPDATE notification_deliveries AS d SET
        status = $2,
        reason = CASE WHEN $2 = 'failed' THEN $3 END,
        seq = d.seq + ($2 IN ('queued', 'failed'))::int,
        epoch = d.epoch + ($2 = 'queued')::int,
        epoch_at = CASE WHEN $2 = 'queued' THEN now() ELSE d.epoch_at END,
        attempts_counted = CASE WHEN $2 = 'queued' THEN 0 ELSE d.attempts_counted END,
        history_n = d.history_n + 1,
        sent_at = CASE WHEN $2 = 'sent' THEN now() ELSE d.sent_at END,
        held_at = NULL,
        not_before = NULL,
        updated_at = now()
    WHERE d.id = $1 AND d.status = 'unknown'
    RETURNING
        d.id, d.notification_id, d.channel, d.priority, d.rank, d.provider, d.status, d.seq,
        d.attempts_counted, d.reason, d.history_n, 'unknown' AS old
), counts AS ({counted("moved")}), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status, reason, actor)
    SELECT id, history_n, status, $3, $4 FROM moved
), resolved AS (
    UPDATE unknown_attempts AS u SET resolved_at = now(), resolved_by = $4, resolution = $5
    FROM moved WHERE u.delivery_id = moved.id AND u.resolved_at IS NULL
)
SELECT
    m.id, m.notification_id, m.channel, m.priority, m.rank, m.provider, m.status, m.seq, m.attempts_counted,
    m.reason, {MODE}
FROM moved AS m
"""  # noqa: S608  composed of constants

_COUNT = f"""
SELECT count(DISTINCT d.id)
FROM unknown_attempts AS u JOIN notification_deliveries AS d ON d.id = u.delivery_id
WHERE {_HELD}
"""  # noqa: S608  composed of constants

_BECOMES = {
    Resolution.SENT: DeliveryStatus.SENT,
    Resolution.FAILED: DeliveryStatus.FAILED,
    Resolution.RESEND: DeliveryStatus.QUEUED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresUnknownAttempts:
    """Implements `UnknownAttempts`.

    Args:
        process: owner of the outbox rows.
    """

    database: Database
    process: UUID
    ids: Ids

    async def page(
        self, wanted: UnknownFilter, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> Sequence[UnknownAttempt]:
        """Joined with how the delivery stands now."""
        rows = await self.database.fetch_list(*compiled(page(wanted, before).limit(limit)))
        return [UnknownAttempt(**row) for row in rows]

    async def resolve(
        self, delivery: UUID, attempt: int, mode: str, resolution: Resolution, actor: str
    ) -> list[OutboxMessage]:
        """One transaction, which locks the attempt first: a second operator waits, and finds it resolved."""
        becomes = advance(DeliveryStatus.UNKNOWN, _BECOMES[resolution])
        reason = f"resolved as {resolution}"

        async def work(connection: Connection) -> list[OutboxMessage]:
            found = await connection.fetchrow(_FIND, delivery, attempt, mode)
            if found is None:
                raise NotFound(f"no unknown attempt {attempt} of delivery {delivery}")
            if not found["held"]:
                why = "it is resolved already" if found["resolved"] else "its delivery does not rest on it"
                raise Conflict(f"{why}: the delivery is {found['status']}")
            rows = await connection.fetch(_RESOLVE, delivery, becomes, reason, actor, resolution)
            made = messages(await _dispatches(connection, becomes, rows), self.ids)
            await outbox.write(connection, self.process, made)
            return made

        return await self.database.run(work)

    async def held(self) -> int:
        """Counted, not estimated: the table is small."""
        return int((await self.database.fetch(_COUNT))[0][0])


async def _dispatches(
    connection: Connection, becomes: DeliveryStatus, rows: Sequence[asyncpg.Record]
) -> list[Dispatch]:
    """What follows what was decided."""
    if becomes is DeliveryStatus.FAILED:
        return await failures(connection, rows)
    if becomes is DeliveryStatus.QUEUED:
        await track(connection, [OpenDelivery(row["id"], row["channel"], row["priority"]) for row in rows])
        return [requeued(*where(row), due=None, outcome=None) for row in rows]
    await follow(connection, [row["id"] for row in rows if row["rank"] is not None])
    return []
