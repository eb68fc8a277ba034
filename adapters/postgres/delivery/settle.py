"""Settling, the end of leases: states, attempts, history and counters in one statement, then what is rare.

How a lease ends, and what its history says of it, is decided by `domain.delivery.ending`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.attempt.unanswered import Decided, Unanswered, decide, note
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from adapters.postgres.dead_letter.dead_letters import where
from adapters.postgres.dead_letter.insert import insert_dead_letters
from adapters.postgres.delivery import counters
from adapters.postgres.delivery.device_results import write_results
from adapters.postgres.delivery.next_channel import follow
from adapters.postgres.outbox import rows as outbox
from application.delivery.ports import Settled, Settlement
from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, dead_letter, messages, requeued
from domain.delivery.delivery import DeliveryStatus, advance
from domain.delivery.ending import NO_ANSWER, Ending, ending
from domain.kernel.text import storable

_MILLISECOND = timedelta(milliseconds=1)

# `reason` of a row in `sending` marks a call that was lost with its worker; it stays while the lease lasts.
_FACTS = """
SELECT d.id, d.reason IS NOT NULL AS interrupted, n.cancelled_at IS NOT NULL AS cancelled
FROM unnest($1::uuid[]) AS given (id)
JOIN notification_deliveries AS d ON d.id = given.id
JOIN notifications AS n ON n.id = d.notification_id
"""


class _End(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one lease, as `_SETTLE` takes it."""

    id: UUID
    attempt: int
    status: str
    reason: str | None
    outcome: str | None
    reference: str | None
    due: datetime | None
    counts: int
    failovers: int | None
    latency_ms: float | None
    lines: str
    """New lines of the history, with commas between them."""


# moved: fenced on the lease, and on a call having been begun or not, as the settlement says.
_SETTLE = RowsStatement(
    f"""
WITH moved AS (
    UPDATE notification_deliveries AS d SET
        status = e.status,
        reason = e.reason,
        seq = d.seq + (e.status IN ('queued', 'failed'))::int,
        attempts_counted = d.attempts_counted + e.counts,
        history_n = d.history_n + cardinality(string_to_array(e.lines, ',')),
        failovers = coalesce(e.failovers, d.failovers),
        not_before = CASE WHEN e.status = 'queued' THEN e.due END,
        lease_until = NULL,
        begun_at = NULL,
        strikes = 0,
        sent_at = CASE WHEN e.status = 'sent' THEN now() ELSE d.sent_at END,
        held_at = CASE WHEN e.status = 'unknown' THEN now() END,
        updated_at = now()
    FROM :rows AS e
    WHERE d.id = e.id
        AND d.attempt = e.attempt AND d.status = 'sending' AND (d.begun_at IS NULL) = (e.outcome IS NULL)
    RETURNING
        d.id, d.notification_id, d.channel, d.priority, d.provider, d.status, d.seq, d.attempts_counted,
        d.reason, d.attempt, d.rank, d.history_n, e.outcome, e.reference, e.latency_ms,
        string_to_array(e.lines, ',') AS lines, 'sending' AS old
), counted AS ({counters.counted("moved")}), ended AS (
    UPDATE delivery_attempts AS a SET
        outcome = m.outcome, reason = m.reason, reference = m.reference, latency_ms = m.latency_ms,
        settled_at = now()
    FROM moved AS m
    WHERE m.outcome IS NOT NULL AND a.delivery_id = m.id
        AND a.attempt = m.attempt AND a.outcome = 'open'
), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status, reason)
    SELECT m.id, m.history_n - cardinality(m.lines) + line.n, line.status, m.reason
    FROM moved AS m, unnest(m.lines) WITH ORDINALITY AS line (status, n)
)
SELECT
    m.id, m.notification_id, m.channel, m.priority, m.provider, m.status, m.seq, m.attempts_counted, m.reason,
    m.rank,
    CASE WHEN m.status IN ('queued', 'failed') THEN (
        SELECT n.mode FROM notifications AS n WHERE n.id = m.notification_id
    ) END AS mode
FROM moved AS m
""",  # noqa: S608  composed of constants
    _End,
)


_Ours = tuple[Settlement, Ending, asyncpg.Record]
"""A settlement whose lease was ours, how the lease ended, and the row that was moved."""


async def settle(
    connection: Connection, process: UUID, ids: Ids, settlements: Sequence[Settlement]
) -> Settled:
    """See `Deliveries.settle`; within a transaction.  `settlements` are of distinct deliveries, not empty."""
    given = sorted(settlements, key=lambda settlement: settlement.delivery)
    endings = await _endings(connection, given)
    rows = await connection.fetch(*_SETTLE(list(map(_end, given, endings))))
    moved = {row["id"]: row for row in rows}
    ours: list[_Ours] = []
    overtaken = []
    for settlement, end in zip(given, endings, strict=True):
        row = moved.get(settlement.delivery)
        if row is None:
            overtaken.append(settlement.delivery)
        else:
            ours.append((settlement, end, row))
    await _note_unanswered(connection, ours)
    await write_results(connection, (settlement for settlement, _, _ in ours))
    taking_over = await follow(connection, [row["id"] for row in rows if row["rank"] is not None])
    dead = [row for _, end, row in ours if end.status is DeliveryStatus.FAILED]
    await insert_dead_letters(connection, [row for row in dead if row["id"] not in taking_over])
    made = messages(_dispatches(ours, taking_over), ids)
    await outbox.write(connection, process, made)
    return Settled(made, overtaken)


async def _endings(connection: Connection, given: Sequence[Settlement]) -> list[Ending]:
    """How each lease ends.  Only where no call was begun, or it is to be queued again, the rows are asked."""
    asked = [s.delivery for s in given if s.outcome is None or s.status is DeliveryStatus.QUEUED]
    facts = {row["id"]: row for row in await connection.fetch(_FACTS, asked)} if asked else {}
    return [_ending(settlement, facts.get(settlement.delivery) if facts else None) for settlement in given]


def _ending(given: Settlement, facts: asyncpg.Record | None) -> Ending:
    return ending(
        advance(DeliveryStatus.SENDING, given.status),
        given.outcome,
        interrupted=facts is not None and facts["interrupted"],
        cancelled=facts is not None and facts["cancelled"],
    )


def _end(given: Settlement, end: Ending) -> _End:
    return _End(
        id=given.delivery,
        attempt=given.attempt,
        status=end.status,
        # What a provider said must not spoil the settling of its neighbours.
        reason=storable(given.reason),
        outcome=given.outcome,
        reference=storable(given.reference),
        due=given.due,
        counts=given.counts,
        failovers=given.failovers,
        latency_ms=None if given.latency is None else given.latency / _MILLISECOND,
        lines=",".join(end.lines),
    )


async def _note_unanswered(connection: Connection, ours: Sequence[_Ours]) -> None:
    """Note calls without an answer, and what is decided about those of before."""
    unanswered, decided = [], []
    for settlement, end, row in ours:
        if settlement.outcome == NO_ANSWER:
            unanswered.append(
                Unanswered(
                    delivery_id=settlement.delivery,
                    attempt=settlement.attempt,
                    notification_id=row["notification_id"],
                    channel=row["channel"],
                    provider=row["provider"],
                    reason=row["reason"] or "no answer",
                    resolution=None if settlement.stays_open else end.resolution,
                )
            )
        if (about := _about_earlier(settlement, end)) is not None:
            decided.append(Decided(delivery_id=settlement.delivery, resolution=about))
    await decide(connection, decided)
    await note(connection, unanswered)


def _about_earlier(settlement: Settlement, end: Ending) -> str | None:
    """What is decided about the calls before this one that have no answer."""
    if settlement.outcome == NO_ANSWER or settlement.stays_open:
        return settlement.resolution
    return settlement.resolution or end.resolution


def _dispatches(ours: Sequence[_Ours], taking_over: Mapping[UUID, asyncpg.Record]) -> Iterator[Dispatch]:
    for row in taking_over.values():
        yield requeued(*where(row), due=None, outcome=None)
    for settlement, end, row in ours:
        if end.status is DeliveryStatus.QUEUED:
            yield requeued(*where(row), due=settlement.due, outcome=settlement.outcome)
        elif end.status is DeliveryStatus.FAILED and row["id"] not in taking_over:
            yield dead_letter(*where(row))
