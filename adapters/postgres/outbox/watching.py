"""What is overdue is found by a walk in id order; who becomes open behind it is put before its eyes."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from adapters.postgres.core.database import Connection
from adapters.postgres.core.statement import RowsStatement

LANE_MAX = 5_000
"""Deliveries of one lane that are kept an eye on."""


class Watched(msgspec.Struct, frozen=True):
    """A delivery that is open."""

    id: UUID
    channel: str
    priority: int


# `look_at` now: the first look finds out when their time comes.
_WATCH = RowsStatement(
    """
WITH given AS MATERIALIZED (
    SELECT g.*, row_number() OVER (PARTITION BY channel, priority) AS place
    FROM :rows AS g
), room AS MATERIALIZED (
    SELECT l.channel, l.priority, (:lane_max)::int - (SELECT count(*) FROM (
        SELECT FROM overdue_deliveries AS o
        WHERE o.channel = l.channel AND o.priority = l.priority LIMIT :lane_max
    ) AS kept_ones) AS places
    FROM (SELECT DISTINCT channel, priority FROM given) AS l
)
INSERT INTO overdue_deliveries (delivery_id, channel, priority, since, look_at)
SELECT given.id, given.channel, given.priority, now(), now()
FROM given JOIN room USING (channel, priority) WHERE given.place <= room.places
ON CONFLICT (delivery_id) DO NOTHING
""",
    Watched,
)


async def watch(connection: Connection, deliveries: Sequence[Watched]) -> None:
    """Within the transaction that opens them; of a lane that is full already the rest goes unwatched."""
    if deliveries:
        await connection.execute(*_WATCH(deliveries, lane_max=LANE_MAX))
