"""Accepting: a batch of notifications, with everything that belongs to it, in one transaction.

Locks are taken in one order: users, idempotency keys, then rows that nobody else knows yet; by id in each.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from adapters.postgres.delivery.insert import insert_deliveries
from adapters.postgres.notification.held_keys import KeyHeld, raise_held, watching_keys
from adapters.postgres.outbox import rows as outbox
from adapters.postgres.outbox.tracking import OpenDelivery, track
from adapters.postgres.user.recipients import put_users
from application.notification.ports import (
    ASKED_MAX,
    CommitResult,
    Committed,
    Created,
    Duplicate,
    NewNotification,
    NewUser,
)
from application.outbox.ports import OutboxMessage
from domain.kernel.errors import InFlight

LOCK_MAX = timedelta(seconds=2)
"""Longest wait for a lock: shorter than anybody's who waits for the commit."""

_json = msgspec.json.Encoder()

Pack = Callable[[Sequence[NewNotification]], list[OutboxMessage]]

_KEYS = "SELECT id, data_key FROM users WHERE id = ANY($1::uuid[])"


class _Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as `_NOTIFICATIONS` takes it."""

    id: UUID
    mode: str
    type: str
    klass: str
    channel: str
    priority: int
    template_id: str | None
    template_version: int | None
    category: str | None
    routing: str | None
    routes: str | None
    """JSON."""
    content: bytes
    metadata: bytes | None
    created_by: str | None
    traceparent: str | None
    open: int
    created_at: datetime
    key: UUID | None
    fingerprint: bytes
    legacy_key: UUID | None
    legacy_fingerprint: bytes | None
    from_intake: bool


# A notification whose key stands already is not inserted; which one holds the key, a later statement reads:
# this one does not see rows that were committed after it began. The time of acceptance: see
# `NewNotification.accepted_at`.
_NOTIFICATIONS = RowsStatement(
    """
WITH given AS (
    SELECT * FROM :rows AS n
), claimed AS (
    INSERT INTO idempotency_keys (key, fingerprint, notification_id)
    SELECT key, fingerprint, id FROM given
    WHERE key IS NOT NULL AND NOT EXISTS (
        SELECT FROM idempotency_keys AS known
        WHERE known.key = given.legacy_key
        AND (given.legacy_fingerprint IS NULL OR known.fingerprint = given.legacy_fingerprint)
    )
    ORDER BY key
    ON CONFLICT (key) DO NOTHING
    RETURNING notification_id
)
INSERT INTO notifications (
    id, mode, type, class, channel, priority, template_id, template_version, content, metadata, created_by,
    traceparent, open, created_at, category, routing, routes
)
SELECT
    id, mode, type, klass, channel, priority, template_id, template_version, content,
    convert_from(metadata, 'UTF8')::jsonb, created_by, traceparent, open,
    least(
        now(),
        CASE WHEN from_intake THEN created_at ELSE greatest(created_at, now() - :asked_max::interval) END
    ),
    category, routing, routes::jsonb
FROM given
WHERE key IS NULL OR id IN (SELECT notification_id FROM claimed)
ON CONFLICT (id) DO NOTHING
RETURNING id, created_at
""",
    _Notification,
)

_HOLDERS = """
SELECT key, notification_id, fingerprint FROM idempotency_keys WHERE key = ANY($1::uuid[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAcceptance:
    """Implements `Acceptance`.

    Args:
        process: owner of the outbox rows.
        lock_max: longest wait for a lock.
    """

    database: Database
    process: UUID
    lock_max: timedelta = LOCK_MAX

    async def keys(self, users: Sequence[UUID]) -> dict[UUID, bytes]:
        """Wrapped keys of those users that have one."""
        rows = await self.database.fetch(_KEYS, users)
        return {row["id"]: row["data_key"] for row in rows if row["data_key"] is not None}

    async def accept(
        self, notifications: Sequence[NewNotification], users: Sequence[NewUser], pack: Pack
    ) -> Committed:
        """See the port.  A deadlock, which the order of locks should rule out, is tried again."""

        async def work(connection: Connection) -> Committed:
            await put_users(connection, users)
            fresh = await _insert_notifications(connection, notifications)
            results = await _results(connection, notifications, fresh)
            winners = [notification for notification in notifications if notification.id in fresh]
            messages = pack(winners)
            await insert_deliveries(connection, winners, fresh)
            await track(connection, [each for n in winners if n.from_intake for each in _promised(n)])
            await outbox.write(connection, self.process, messages)
            return Committed(results, messages)

        try:
            return await self.database.run(work, lock_max=self.lock_max)
        except KeyHeld:
            await raise_held(self.database, [n.key for n in notifications if n.key is not None])


async def _insert_notifications(
    connection: Connection, given: Sequence[NewNotification]
) -> dict[UUID, datetime]:
    """Return the ids of those that went in, and when they count as accepted."""
    with watching_keys():
        rows = await connection.fetch(*_NOTIFICATIONS([_row(n) for n in given], asked_max=ASKED_MAX))
    return {row["id"]: row["created_at"] for row in rows}


def _row(given: NewNotification) -> _Notification:
    return _Notification(
        id=given.id,
        mode=given.mode,
        type=given.type,
        klass=given.klass,
        channel=given.lane.channel,
        priority=given.lane.priority,
        template_id=given.template_id,
        template_version=given.template_version,
        category=given.category,
        routing=given.routing,
        routes=_json.encode(given.routes).decode() if given.routes else None,
        content=given.content,
        metadata=given.metadata,
        created_by=given.created_by,
        traceparent=given.traceparent,
        open=len(given.deliveries),
        created_at=given.created_at,
        key=given.key,
        fingerprint=given.fingerprint,
        legacy_key=given.legacy_key.key if given.legacy_key else None,
        legacy_fingerprint=given.legacy_key.fingerprint if given.legacy_key else None,
        from_intake=given.from_intake,
    )


async def _results(
    connection: Connection, given: Sequence[NewNotification], fresh: Container[UUID]
) -> list[CommitResult]:
    lost = [n for n in given if n.id not in fresh and n.key is not None]
    keys = [n.key for n in lost] + [n.legacy_key.key for n in lost if n.legacy_key]
    rows = await connection.fetch(_HOLDERS, keys) if keys else []
    holders = {row["key"]: (row["notification_id"], row["fingerprint"]) for row in rows}
    results: list[CommitResult] = []
    for n in given:
        if n.id in fresh or n.key is None:
            results.append(Created(n.id))
            continue
        held = holders.get(n.key) or (holders.get(n.legacy_key.key) if n.legacy_key else None)
        if held is None:
            raise InFlight("the idempotency key was pruned just now", keys={n.key})
        # Our own earlier commit, whose answer was lost with the connection, has our id.
        results.append(Created(n.id) if held[0] == n.id else Duplicate(*held))
    return results


def _promised(from_intake: NewNotification) -> list[OpenDelivery]:
    """The deliveries of what was promised: the search for overdue ones may have passed their old ids."""
    return [
        OpenDelivery(d.id, d.channel or from_intake.lane.channel, from_intake.lane.priority)
        for d in from_intake.deliveries
        if not d.standby
    ]
