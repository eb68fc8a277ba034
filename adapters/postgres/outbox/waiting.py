"""What has waited longest in each lane, of the deliveries that are overdue."""

from datetime import timedelta

import asyncpg

from adapters.postgres.core.database import Database
from application.outbox.ports import Waiting
from domain.kernel.channel import Lane, Mode, Priority

SHOWN = 200
"""Rows of a lane, oldest first, among which the delivery that waits longest is looked for."""

_LONGEST = """
WITH RECURSIVE lanes AS (
    (SELECT channel, priority FROM overdue_deliveries ORDER BY channel, priority LIMIT 1)
    UNION ALL
    SELECT n.channel, n.priority FROM lanes AS l CROSS JOIN LATERAL (
        SELECT o.channel, o.priority FROM overdue_deliveries AS o
        WHERE (o.channel, o.priority) > (l.channel, l.priority) ORDER BY o.channel, o.priority LIMIT 1
    ) AS n
)
SELECT l.channel, l.priority, m.mode, m.since, extract(epoch FROM now() - m.since)::float AS age,
    coalesce(c.is_paused OR NOT c.is_enabled, false) AS paused
FROM lanes AS l CROSS JOIN LATERAL (
    SELECT n.mode, min(o.since) AS since FROM (
        SELECT delivery_id, since FROM overdue_deliveries
        WHERE channel = l.channel AND priority = l.priority AND tries > 0 ORDER BY since LIMIT $1
    ) AS o JOIN notification_deliveries AS d
        ON d.id = o.delivery_id AND d.status IN ('queued', 'sending')
    JOIN notifications AS n ON n.id = d.notification_id
    GROUP BY n.mode
) AS m LEFT JOIN channel_configurations AS c ON c.channel = l.channel
"""


async def longest_waiting(database: Database) -> list[Waiting]:
    """See `Overdue.longest`."""
    rows = await database.fetch(_LONGEST, SHOWN)
    found: dict[str, Waiting] = {}
    for row in sorted(rows, key=lambda row: row["since"]):  # all priorities of a test share a lane
        lane = _lane(row)
        age = timedelta(seconds=row["age"])
        found.setdefault(lane.queue, Waiting(lane=lane, since=row["since"], age=age, paused=row["paused"]))
    return list(found.values())


def _lane(row: asyncpg.Record) -> Lane:
    return Lane(row["channel"], Priority(row["priority"]), Mode(row["mode"]))
