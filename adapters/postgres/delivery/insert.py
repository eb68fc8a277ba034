"""Writes the deliveries of notifications that are being accepted, within that transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from application.notification.ports import NewNotification


class _Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as `_DELIVERIES` takes it."""

    id: UUID
    notification_id: UUID
    user_id: UUID
    slot: str
    channel: str
    priority: int
    rank: int | None
    standby: bool
    content_key: bytes
    created_at: datetime


_DELIVERIES = RowsStatement(
    """
WITH born AS (
    INSERT INTO notification_deliveries (
        id, notification_id, user_id, slot, channel, priority, rank, status, content_key, created_at
    )
    SELECT
        id, notification_id, user_id, slot, channel, priority, rank,
        CASE WHEN standby THEN 'standby' ELSE 'queued' END, content_key, created_at
    FROM :rows AS d
    ON CONFLICT (id) DO NOTHING
    RETURNING id, status
)
INSERT INTO delivery_status_history (delivery_id, n, status) SELECT id, 1, status FROM born
""",
    _Delivery,
)


async def insert_deliveries(
    connection: Connection, notifications: Sequence[NewNotification], accepted: Mapping[UUID, datetime]
) -> None:
    """`accepted`: the time of acceptance of each notification, by id."""
    rows = [
        _Delivery(
            id=d.id,
            notification_id=n.id,
            user_id=d.user,
            slot=d.slot,
            channel=d.channel or n.lane.channel,
            priority=n.lane.priority,
            rank=d.rank,
            standby=d.standby,
            content_key=d.content_key,
            created_at=accepted[n.id],
        )
        for n in notifications
        for d in n.deliveries
    ]
    if rows:
        await connection.execute(*_DELIVERIES(rows))
