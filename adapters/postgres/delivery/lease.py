"""Leasing: take deliveries for this process, with all that deciding and sending need, in one statement."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import RowsStatement
from adapters.postgres.delivery.device_results import with_devices
from adapters.postgres.delivery.moved_messages import replay_moved
from application.delivery.ports import Leased, Leases, NotDueYet, StruckDelivery, UnreadableDelivery
from application.kernel.ports import Ids
from application.outbox.pointers import Pointer
from domain.kernel.channel import AddressedBy, Mode, NotificationClass, Priority
from domain.notification.routing import ChannelRoute

_routes = msgspec.json.Decoder(tuple[ChannelRoute, ...]).decode

MARGIN = timedelta(milliseconds=250)
"""On top of what is left of a wait: a pointer that comes back a little early would have to go round again."""

# Rows are locked in the order in which they are given, which is sorted: two leases do not deadlock.
# `reason` of a row in `sending` marks a call that nobody heard of again.  Begin and settle read it; it stays
# while leases end without either.
# A notification's content may be large and its deliveries many: the first of them carries what they share.
_LEASE = RowsStatement(
    """
WITH taken AS (
    UPDATE notification_deliveries AS d SET
        status = 'sending',
        attempt = d.attempt + 1,
        lease_until = now() + :span,
        attempts_counted = d.attempts_counted + (d.begun_at IS NOT NULL)::int,
        history_n = d.history_n + (d.begun_at IS NOT NULL)::int,
        reason = CASE
            WHEN d.begun_at IS NOT NULL THEN 'worker lost'
            WHEN d.status = 'sending' AND d.reason IS NOT NULL THEN 'worker lost earlier'
        END,
        strikes = d.strikes + (d.status = 'sending')::int,
        begun_at = NULL,
        updated_at = now()
    FROM :rows AS p
    WHERE d.id = p.delivery AND d.seq = p.seq AND (
        d.status = 'queued' AND (d.not_before IS NULL OR d.not_before <= now())
        OR d.status = 'sending' AND d.lease_until <= now() AND d.strikes < :strikes_max
    )
    RETURNING
        d.id, d.seq, d.attempt, d.attempts_counted, d.strikes, d.history_n, d.notification_id,
        d.user_id, d.channel, d.priority, d.rank, d.provider, d.failovers, d.epoch_at, d.content_key,
        d.reason IS NOT NULL AS interrupted, d.reason = 'worker lost' AS lost_now
), lost AS (
    UPDATE delivery_attempts AS a SET outcome = 'unknown', reason = 'worker lost', settled_at = now()
    FROM taken AS t
    WHERE t.lost_now AND a.delivery_id = t.id
        AND a.attempt = t.attempt - 1 AND a.outcome = 'open'
), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status, reason)
    SELECT id, history_n, 'unknown', 'worker lost' FROM taken WHERE lost_now
), unsure AS (
    INSERT INTO unknown_attempts (delivery_id, attempt, notification_id, mode, channel, provider, reason)
    SELECT t.id, t.attempt - 1, t.notification_id, n.mode, t.channel, t.provider, 'worker lost'
    FROM taken AS t JOIN notifications AS n ON n.id = t.notification_id WHERE t.lost_now
)
SELECT t.*, n.*, u.data_key, u.profile, s.reason AS suppressed, now() AS facts_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY notification_id, channel) = 1 AS is_first FROM taken
) AS t
LEFT JOIN LATERAL (
    SELECT
        n.mode, n.type, n.class, n.template_id, n.template_version, n.routes, n.created_at, n.content,
        n.traceparent,
        n.cancelled_at IS NOT NULL AS cancelled, c.is_enabled, c.is_paused, c.providers,
        c.addressed_by
    FROM notifications AS n LEFT JOIN channel_configurations AS c ON c.channel = t.channel
    WHERE t.is_first AND n.id = t.notification_id
    OFFSET 0
) AS n ON true
LEFT JOIN users AS u ON u.id = t.user_id
LEFT JOIN suppressions AS s ON s.channel = t.channel
    AND s.address_index = CASE t.channel WHEN 'email' THEN u.email_index WHEN 'sms' THEN u.phone_index END
""",
    Pointer,
)

_MISSED = RowsStatement(
    """
SELECT
    p.delivery AS id, p.seq, now() AS facts_at, d.status,
    d.status = 'sending' AND d.lease_until <= now() AS is_struck, d.strikes + 1 AS strikes,
    CASE d.status WHEN 'queued' THEN d.not_before WHEN 'sending' THEN d.lease_until END - now() AS wait
FROM :rows AS p
LEFT JOIN notification_deliveries AS d ON d.id = p.delivery AND d.seq = p.seq
""",
    Pointer,
)


async def take(
    database: Database,
    process: UUID,
    ids: Ids,
    pointers: Sequence[Pointer],
    span: timedelta,
    strikes_max: int,
) -> Leases:
    """See `Deliveries.lease`; `pointers` are not empty.

    Args:
        process: owner of the outbox rows of what an operator sends again.
    """
    wanted = sorted(set(pointers), key=lambda p: (p.delivery.int, p.seq))
    rows = await database.fetch(*_LEASE(wanted, span=span, strikes_max=strikes_max))
    taken, unreadable = _leased(rows)
    taken = await with_devices(database, taken)
    got = {row["id"] for row in rows}
    missed = [pointer for pointer in wanted if pointer.delivery not in got]
    if not missed:
        return Leases(taken=taken, unreadable=unreadable, facts_at=rows[0]["facts_at"])
    seen = await database.fetch(*_MISSED(missed))
    reopened = await replay_moved(database, process, ids, seen)
    return Leases(
        taken=taken,
        unreadable=unreadable,
        later=_later(seen),
        struck=_struck(seen),
        replayed=len(reopened.deliveries),
        messages=reopened.messages,
        facts_at=rows[0]["facts_at"] if rows else seen[0]["facts_at"],
    )


def _later(seen: Sequence[asyncpg.Record]) -> list[NotDueYet]:
    """Which of the pointers that were not taken are to come back."""
    return [
        NotDueYet(Pointer(row["id"], row["seq"]), max(row["wait"] or timedelta(), timedelta()) + MARGIN)
        for row in seen
        if row["status"] in ("queued", "sending") and not row["is_struck"]
    ]


def _struck(seen: Sequence[asyncpg.Record]) -> list[StruckDelivery]:
    return [
        StruckDelivery(Pointer(row["id"], row["seq"]), row["strikes"]) for row in seen if row["is_struck"]
    ]


def _leased(rows: Sequence[asyncpg.Record]) -> tuple[list[Leased], list[UnreadableDelivery]]:
    """Read the rows one by one: all are leased by now, and one that cannot be read must not stop others."""
    shared = {(row["notification_id"], row["channel"]): row for row in rows if row["is_first"]}
    read: dict[tuple[UUID, str], dict[str, Any]] = {}  # as `_shared` gives
    taken: list[Leased] = []
    unreadable: list[UnreadableDelivery] = []
    for row in rows:
        key = row["notification_id"], row["channel"]
        try:
            if key not in read:
                read[key] = _shared(shared[key])
            taken.append(_one(row, read[key]))
        except (ValueError, TypeError) as fault:
            unreadable.append(
                UnreadableDelivery(row["id"], row["attempt"], f"its rows cannot be read: {fault}")
            )
    return taken, unreadable


def _one(row: asyncpg.Record, shared: dict[str, object]) -> Leased:
    return Leased(
        id=row["id"],
        seq=row["seq"],
        attempt=row["attempt"],
        attempts_counted=row["attempts_counted"],
        strikes=row["strikes"],
        interrupted=row["interrupted"],
        lost=row["provider"] if row["lost_now"] else None,
        notification=row["notification_id"],
        user=row["user_id"],
        channel=row["channel"],
        priority=Priority(row["priority"]),
        failovers=row["failovers"],
        suppressed=row["suppressed"],
        content_key=row["content_key"],
        data_key=row["data_key"],
        profile=row["profile"],
        **_since(row, shared),
    )


def _since(row: asyncpg.Record, shared: dict[str, object]) -> dict[str, Any]:  # members of Leased, by name
    """Deadlines of a delivery that was replayed count from the replay."""
    return shared if row["epoch_at"] is None else shared | {"accepted_at": row["epoch_at"]}


def _shared(row: asyncpg.Record) -> dict[str, Any]:  # members of Leased, by name
    """What all deliveries of a notification on one channel have in common."""
    routes = () if row["routes"] is None else _routes(row["routes"])
    spoken = next((route for route in routes if route.channel == row["channel"]), None)
    return {
        "klass": NotificationClass(row["class"]),
        "mode": Mode(row["mode"]),
        "type": row["type"],
        "accepted_at": row["created_at"],
        "cancelled": row["cancelled"],
        "channel_enabled": row["is_enabled"] is not False,
        "turn": None if row["rank"] is None else (row["rank"], len(routes)),
        "channel_paused": row["is_paused"] is True,
        "addressed_by": AddressedBy(row["addressed_by"]) if row["addressed_by"] else None,
        "providers": tuple(row["providers"] or ()),
        "template_id": row["template_id"] if spoken is None else spoken.template,
        "template_version": row["template_version"] if spoken is None else spoken.version,
        "content": row["content"],
        "traceparent": row["traceparent"],
    }
