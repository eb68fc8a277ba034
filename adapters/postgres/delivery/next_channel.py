"""What becomes of the channels that stand by when the one before them has ended.

A definite failure gives the next channel its turn.  Whatever else ends a delivery ends those behind it, too:
one that was sent makes them unneeded, and who must not be written to is not tried elsewhere.  Of one that is
held nothing is known yet: its settlement, one day, decides.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from adapters.postgres.delivery.counters import counted
from adapters.postgres.outbox.tracking import OpenDelivery, track


class _Ended(msgspec.Struct, frozen=True):
    """A delivery that has just ended, within this transaction."""

    id: UUID
    first: UUID
    """With `last` the bounds of the ids that have its millisecond: those of its notification."""
    last: UUID


# The notification's row is locked by now: whoever cancels locks it first, and nobody else moves these rows.
_FOLLOW = RowsStatement(
    f"""
WITH behind AS MATERIALIZED (
    SELECT
        s.id, a.id AS after, a.status AS ended, n.cancelled_at IS NOT NULL AS cancelled,
        row_number() OVER (PARTITION BY a.id ORDER BY s.rank) = 1 AS next,
        CASE a.status WHEN 'sent' THEN 'sent on ' || a.channel
            ELSE concat_ws(': ', a.channel || ' ' || a.status, a.reason) END AS why
    FROM :rows AS e
    JOIN notification_deliveries AS a ON a.id = e.id
    JOIN notifications AS n ON n.id = a.notification_id
    JOIN notification_deliveries AS s ON s.user_id = a.user_id AND s.id BETWEEN e.first AND e.last
        AND s.notification_id = a.notification_id AND s.rank > a.rank AND s.status = 'standby'
    WHERE a.status IN ('sent', 'failed', 'suppressed', 'cancelled')
), moved AS (
    UPDATE notification_deliveries AS d SET
        status = CASE
            WHEN b.cancelled OR b.ended = 'cancelled' THEN 'cancelled'
            WHEN b.ended = 'failed' THEN 'queued'
            ELSE 'suppressed'
        END,
        reason = b.why,
        history_n = d.history_n + 1,
        updated_at = now()
    FROM behind AS b
    WHERE d.id = b.id AND d.status = 'standby' AND (b.next OR b.cancelled OR b.ended <> 'failed')
    RETURNING
        d.id, d.notification_id, d.channel, d.priority, d.seq, d.status, d.reason, d.history_n, b.after,
        'standby' AS old
), counts AS ({counted("moved")}), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status, reason)
    SELECT id, history_n, status, reason FROM moved
)
SELECT m.id, m.after, m.channel, m.priority, m.seq, n.mode
FROM moved AS m JOIN notifications AS n ON n.id = m.notification_id WHERE m.status = 'queued'
""",  # noqa: S608  composed of constants
    _Ended,
)

_TAIL = (1 << 80) - 1


async def follow(connection: Connection, ended: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
    """Move what stands behind deliveries that have just ended; within the transaction that ended them.

    Args:
        ended: those with a rank; what stands as unknown, or open, is passed over.

    Returns:
        The deliveries whose turn it is now, by the failed one before them: `id`, `seq`, `channel`,
        `priority`, `mode`.  Their pointers are for the caller to issue.
    """
    if not ended:
        return {}
    given = [_Ended(id_, UUID(int=id_.int & ~_TAIL), UUID(int=id_.int | _TAIL)) for id_ in sorted(ended)]
    rows = await connection.fetch(*_FOLLOW(given))
    await track(connection, [OpenDelivery(row["id"], row["channel"], row["priority"]) for row in rows])
    return {row["after"]: row for row in rows}
