"""What is overdue is found by a walk in id order; who becomes open behind it is put before its eyes."""

from collections.abc import Sequence
from uuid import UUID

from adapters.postgres.core.database import Connection

LANE_MAX = 5_000
"""Deliveries of one lane that are kept an eye on."""

# `look_at` now: the first look finds out when their time comes.
_WATCH = """
WITH given AS MATERIALIZED (
    SELECT g.*, row_number() OVER (PARTITION BY channel, priority) AS place
    FROM unnest($1::uuid[], $2::text[], $3::smallint[]) AS g (id, channel, priority)
), room AS MATERIALIZED (
    SELECT l.channel, l.priority, $4 - (SELECT count(*) FROM (
        SELECT FROM overdue_deliveries AS o
        WHERE o.channel = l.channel AND o.priority = l.priority LIMIT $4
    ) AS kept_ones) AS places
    FROM (SELECT DISTINCT channel, priority FROM given) AS l
)
INSERT INTO overdue_deliveries (delivery_id, channel, priority, since, look_at)
SELECT given.id, given.channel, given.priority, now(), now()
FROM given JOIN room USING (channel, priority) WHERE given.place <= room.places
ON CONFLICT (delivery_id) DO NOTHING
"""

Watched = tuple[UUID, str, int]
"""A delivery, its channel and its priority."""


async def watch(connection: Connection, deliveries: Sequence[Watched]) -> None:
    """Within the transaction that opens them; of a lane that is full already the rest goes unwatched."""
    if deliveries:
        ids, channels, priorities = zip(*deliveries, strict=True)
        await connection.execute(_WATCH, ids, channels, priorities, LANE_MAX)
