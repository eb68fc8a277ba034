"""The queued deliveries of a channel, and those that stand by: counted, and suppressed page by page.

No index has the channel (see `core.tables`), so the deliveries of the last weeks are read in the order of
their ids.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.delivery.counters import counted
from adapters.postgres.delivery.next_channel import follow
from domain.kernel.ids import uuid7
from domain.kernel.text import storable

AGE_MAX = timedelta(days=62)
"""What was accepted earlier is not queued any more: every class gives up much sooner."""
PAGE = 5_000
"""Rows read in one transaction."""

_COUNT = """
SELECT count(*) FROM notification_deliveries AS d JOIN notifications AS n ON n.id = d.notification_id
WHERE d.id > $1 AND d.channel = $2 AND d.status IN ('queued', 'standby') AND n.mode = $3
"""

# A row that a worker is leasing is waited for, and stays with that worker.  Where channels are tried in turn
# the notification is locked first: who settles a delivery holds it when he moves those that stand by.
_DROP = f"""
WITH page AS MATERIALIZED (
    SELECT id, notification_id, channel, status FROM notification_deliveries
    WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3
), held AS MATERIALIZED (
    SELECT n.id FROM notifications AS n
    WHERE n.id IN (SELECT notification_id FROM page WHERE channel = $4) AND n.routing = 'first'
    ORDER BY n.id FOR UPDATE
), idle AS MATERIALIZED (
    SELECT d.id, d.status AS old FROM notification_deliveries AS d
    WHERE (SELECT count(*) FROM held) >= 0 AND d.id IN (
        SELECT p.id FROM page AS p JOIN notifications AS n ON n.id = p.notification_id
        WHERE p.channel = $4 AND p.status IN ('queued', 'standby') AND n.mode = $5
    ) AND d.status IN ('queued', 'standby')
    ORDER BY d.id FOR UPDATE OF d
), moved AS (
    UPDATE notification_deliveries AS d SET
        status = 'suppressed', reason = $6, not_before = NULL, history_n = d.history_n + 1, updated_at = now()
    FROM idle WHERE d.id = idle.id
    RETURNING d.id, d.notification_id, d.rank, d.status, d.reason, d.history_n, idle.old
), counts AS ({counted("moved")}), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status, reason, actor)
    SELECT id, history_n, status, reason, $7 FROM moved
)
SELECT
    (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
    (SELECT count(*) FROM page) AS seen,
    (SELECT count(*) FROM moved) AS dropped,
    ARRAY(SELECT id FROM moved WHERE rank IS NOT NULL AND old = 'queued') AS in_turn
"""  # noqa: S608  composed of constants


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresBacklog:
    """Implements `Backlog`."""

    database: Database

    async def count(self, channel: str, mode: str) -> int:
        """One statement over the deliveries of the last `AGE_MAX`."""
        return await self.database.run(lambda connection: count(connection, channel, mode))


async def count(connection: Connection, channel: str, mode: str) -> int:
    """See `Backlog.count`; within a transaction."""
    now: datetime = await connection.fetchval("SELECT now()")
    return int(await connection.fetchval(_COUNT, _first(now), channel, mode))


async def drop(
    connection: Connection,
    channel: str,
    mode: str,
    *,
    after: UUID | None,
    until: datetime,
    reason: str,
    actor: str,
) -> tuple[UUID | None, int]:
    """Suppress what waits on a page of deliveries; within a transaction.

    Args:
        after: the last one of the page before; None: begin.
        until: those accepted later are not looked at.

    Returns:
        The last one looked at, None when that was all; and how many were suppressed.
    """
    last = uuid7(int(until.timestamp() * 1000) + 1, 0)
    row = await connection.fetchrow(
        _DROP, after or _first(until), last, PAGE, channel, mode, storable(reason), storable(actor)
    )
    await follow(connection, row["in_turn"])
    return (row["last"] if row["seen"] == PAGE else None), row["dropped"]


def _first(now: datetime) -> UUID:
    return uuid7(int((now - AGE_MAX).timestamp() * 1000), 0)
