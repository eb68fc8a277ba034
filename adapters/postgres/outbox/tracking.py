"""Deliveries that become open again are noted for the search for overdue ones.

That search reads the deliveries in the order of their ids, each once, and has passed these already.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement

LANE_MAX = 5_000
"""Most rows of one lane in `overdue_deliveries`."""


class OpenDelivery(msgspec.Struct, frozen=True):
    """A delivery that has become open, and its lane."""

    id: UUID
    channel: str
    priority: int


# `look_at` is now: the first look finds out when their time comes.
_TRACK = RowsStatement(
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
    OpenDelivery,
)


async def track(connection: Connection, deliveries: Sequence[OpenDelivery]) -> None:
    """Note deliveries within the transaction that opens them; of a lane with `LANE_MAX` rows no more."""
    if deliveries:
        await connection.execute(*_TRACK(deliveries, lane_max=LANE_MAX))
