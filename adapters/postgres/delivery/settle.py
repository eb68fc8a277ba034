"""Settling, the end of leases: states, attempts, history, dead letters at once; then outbox and counters."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from adapters.postgres.core.database import Connection
from adapters.postgres.dead_letter.dead_letters import buried, where
from adapters.postgres.delivery import counters
from adapters.postgres.outbox import rows as outbox
from application.delivery.ports import Settled, Settlement
from application.kernel.ports import Ids
from application.outbox.travel import Trip, again, dead_letter, messages
from domain.delivery.cause import cause
from domain.delivery.delivery import DeliveryStatus, advance
from domain.kernel.text import storable

_MILLISECOND = timedelta(milliseconds=1)

# mine: what becomes of each, and `prior`, where its history stands: at `sending` once a call was begun, at
#     `unknown` when that call, or the one of a lost worker, had no answer.
# told: the `steps` that its history takes; from `unknown` on they pass through `queued`, as the states do.
# unsure, decided: what becomes of calls without an answer, for who looks after them.
# moved: fenced on the lease, and on a call having been begun or not, as the settlement says.
_SETTLE = f"""
WITH given AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::int[],
        $9::float[], $10::text[]
    ) AS g (id, attempt, status, reason, outcome, reference, due, spends, latency_ms, cause)
), mine AS MATERIALIZED (
    SELECT
        g.*,
        CASE WHEN status = 'queued' AND EXISTS (
            SELECT FROM notification_deliveries AS d JOIN notifications AS n ON n.id = d.notification_id
            WHERE d.id = g.id AND n.cancelled_at IS NOT NULL
        ) THEN 'cancelled' ELSE status END AS becomes,
        CASE
            WHEN outcome = 'unknown' THEN 'unknown'
            WHEN outcome IS NOT NULL THEN 'sending'
            WHEN EXISTS (
                SELECT FROM notification_deliveries AS d WHERE d.id = g.id AND d.reason IS NOT NULL
            ) THEN 'unknown'
            ELSE 'queued'
        END AS prior
    FROM given AS g
), told AS MATERIALIZED (
    SELECT m.*, array_remove(ARRAY[
        CASE WHEN outcome = 'unknown' THEN 'unknown' END,
        CASE WHEN prior = 'unknown' AND becomes IN ('cancelled', 'suppressed') THEN 'queued' END,
        CASE WHEN becomes <> prior THEN becomes END
    ], NULL) AS steps
    FROM mine AS m
), moved AS (
    UPDATE notification_deliveries AS d SET
        status = t.becomes,
        reason = t.reason,
        seq = d.seq + (t.becomes IN ('queued', 'failed'))::int,
        spent = d.spent + t.spends,
        moves = d.moves + cardinality(t.steps),
        not_before = CASE WHEN t.becomes = 'queued' THEN t.due END,
        lease_until = NULL,
        begun_at = NULL,
        abandoned = 0,
        sent_at = CASE WHEN t.becomes = 'sent' THEN now() ELSE d.sent_at END,
        held_at = CASE WHEN t.becomes = 'unknown' THEN now() END,
        updated_at = now()
    FROM told AS t
    WHERE d.id = t.id
        AND d.attempt = t.attempt AND d.status = 'sending' AND (d.begun_at IS NULL) = (t.outcome IS NULL)
    RETURNING
        d.id, d.notification_id, d.channel, d.priority, d.provider, d.status, d.seq, d.spent, d.reason,
        t.attempt, t.outcome, t.reference, t.due, t.latency_ms, t.cause, t.prior, t.steps,
        d.moves - cardinality(t.steps) AS told_before, 'sending' AS old
), counted AS ({counters.counted("moved")}), ended AS (
    UPDATE delivery_attempts AS a SET
        outcome = m.outcome, reason = m.reason, reference = m.reference, latency_ms = m.latency_ms,
        settled_at = now()
    FROM moved AS m
    WHERE m.outcome IS NOT NULL AND a.delivery_id = m.id
        AND a.attempt = m.attempt AND a.outcome = 'open'
), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status, reason)
    SELECT m.id, m.told_before + step.n, step.status, m.reason
    FROM moved AS m, unnest(m.steps) WITH ORDINALITY AS step (status, n)
), dead AS ({buried("moved")}), unsure AS (
    INSERT INTO unknown_attempts (
        delivery_id, attempt, notification_id, mode, channel, provider, reason, resolution, resolved_at
    )
    SELECT
        m.id, m.attempt, m.notification_id, n.mode, m.channel, m.provider, coalesce(m.reason, 'no answer'),
        CASE m.status WHEN 'queued' THEN 'resend' WHEN 'unknown' THEN NULL ELSE m.status END,
        CASE WHEN m.status <> 'unknown' THEN now() END
    FROM moved AS m JOIN notifications AS n ON n.id = m.notification_id WHERE m.outcome = 'unknown'
), decided AS (
    UPDATE unknown_attempts AS u
    SET resolution = CASE m.status WHEN 'queued' THEN 'resend' ELSE m.status END, resolved_at = now()
    FROM moved AS m
    WHERE m.outcome IS NULL AND m.prior = 'unknown' AND m.status <> 'unknown'
        AND u.delivery_id = m.id AND u.resolved_at IS NULL
)
SELECT
    m.id, m.channel, m.priority, m.status, m.seq, m.outcome, m.due,
    CASE WHEN m.status IN ('queued', 'failed') THEN (
        SELECT n.mode FROM notifications AS n WHERE n.id = m.notification_id
    ) END AS mode
FROM moved AS m
"""  # noqa: S608  composed of constants


async def settle(
    connection: Connection, process: UUID, ids: Ids, settlements: Sequence[Settlement]
) -> Settled:
    """See `Deliveries.settle`; within a transaction.  `settlements` are of distinct deliveries, not empty."""
    given = sorted(settlements, key=lambda settlement: settlement.delivery)
    rows = await connection.fetch(_SETTLE, *_columns(given))
    made = messages(_trips(rows), ids)
    await outbox.write(connection, process, made)
    moved = {row["id"] for row in rows}
    return Settled(made, [s.delivery for s in given if s.delivery not in moved])


def _columns(given: Sequence[Settlement]) -> Iterator[list[object]]:
    yield [s.delivery for s in given]
    yield [s.attempt for s in given]
    yield [advance(DeliveryStatus.SENDING, s.status) for s in given]
    # What a provider said must not spoil the settling of its neighbours.
    yield [storable(s.reason) for s in given]
    yield [s.outcome for s in given]
    yield [storable(s.reference) for s in given]
    yield [s.due for s in given]
    yield [int(s.spends) for s in given]
    yield [None if s.latency is None else s.latency / _MILLISECOND for s in given]
    yield [_cause(s) for s in given]


def _cause(settlement: Settlement) -> str | None:
    if settlement.status is not DeliveryStatus.FAILED:
        return None
    return cause(storable(settlement.reason) or "failed")


def _trips(rows: Sequence[asyncpg.Record]) -> Iterator[Trip]:
    for row in rows:
        match row["status"]:
            case "queued":
                yield again(*where(row), due=row["due"], outcome=row["outcome"])
            case "failed":
                yield dead_letter(*where(row))
