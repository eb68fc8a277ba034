"""Cancelling a notification: a mark that lease and settle read, and a sweep of what is not leased."""

from dataclasses import dataclass
from uuid import UUID

from adapters.postgres.core.database import Database
from adapters.postgres.delivery.counters import counted
from application.notification.ports import CancelTally

# A notification that has ended is not marked.  clock_timestamp() and not now(): the update may wait for the
# row.
_MARK = """
UPDATE notifications SET
    cancelled_at = CASE
        WHEN open > 0 OR unknown > 0 OR NOT expanded THEN coalesce(cancelled_at, clock_timestamp())
        ELSE cancelled_at
    END,
    updated_at = now()
WHERE id = $1 AND mode = $2
RETURNING id, cancelled_at
"""

# Its dead letters are closed: they cannot be replayed any more.
_CLOSE = """
UPDATE dead_letter_queue SET closed_at = now(), resolution = 'discarded', note = 'cancelled'
WHERE notification_id = $1 AND closed_at IS NULL
"""

# Its deliveries carry the notification's millisecond, the first 48 bits: $2 and $3 keep to that partition.
# The notification is locked first: who settles a delivery holds it when he moves those that stand by.
_SWEEP = f"""
WITH held AS MATERIALIZED (
    SELECT id FROM notifications WHERE id = $1 FOR UPDATE
), idle AS MATERIALIZED (
    SELECT id, status AS old FROM notification_deliveries
    WHERE notification_id = (SELECT id FROM held)
        AND id BETWEEN $2 AND $3 AND status IN ('pending', 'standby', 'queued')
    ORDER BY id LIMIT $4
    FOR UPDATE
), moved AS (
    UPDATE notification_deliveries AS d SET
        status = 'cancelled', reason = NULL, not_before = NULL, history_n = d.history_n + 1,
        updated_at = now()
    FROM idle WHERE d.id = idle.id
    RETURNING d.id, d.notification_id, d.status, d.history_n, idle.old
), counts AS ({counted("moved")}), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status) SELECT id, history_n, status FROM moved
)
SELECT id FROM moved
"""  # noqa: S608  composed of constants

_TALLY = """
SELECT cancelled, sent + delivered + bounced AS already_sent, open + unknown AS in_flight
FROM notifications WHERE id = $1
"""

_TAIL = (1 << 80) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresCancelling:
    """Implements `Cancelling`."""

    database: Database

    async def mark(self, notification: UUID, mode: str) -> bool:
        """A transaction of its own: after its commit no delivery is cleared or queued again."""
        marked = await self.database.fetch(_MARK, notification, mode)
        if marked and marked[0]["cancelled_at"] is not None:
            await self.database.fetch(_CLOSE, notification)
        return bool(marked)

    async def sweep(self, notification: UUID, limit: int) -> int:
        """One statement.  A row that a worker is leasing is waited for, and stays with that worker."""
        first, last = UUID(int=notification.int & ~_TAIL), UUID(int=notification.int | _TAIL)
        return len(await self.database.fetch(_SWEEP, notification, first, last, limit))

    async def tally(self, notification: UUID) -> CancelTally:
        """Read from the counters of the notification; a call without an answer counts as in flight."""
        row = (await self.database.fetch(_TALLY, notification))[0]
        return CancelTally(**row)
