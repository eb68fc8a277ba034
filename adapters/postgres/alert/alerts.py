"""Alerts about dead letters: the oldest letter of a group that nobody was alerted of carries the claim on it.

Two processes that look at the same time meet on that row, and one of them wins.  An alert may be sent twice
when that dead letter is closed meanwhile; it is never lost.
"""

from dataclasses import dataclass
from datetime import timedelta

from adapters.postgres.core.database import Database
from application.alert.ports import Appeared

ALERTED_CHUNK = 5_000
"""Dead letters marked in one statement."""

_UNALERTED = "closed_at IS NULL AND alerted_at IS NULL"
_FIRST = f"""
SELECT fingerprint, mode, delivery_id, seq, created_at, alert_after FROM dead_letter_queue WHERE {_UNALERTED}
"""  # noqa: S608  composed of constants
_ORDER = "ORDER BY fingerprint, mode, created_at LIMIT 1"

# Dead letters may be many and their groups are few: the recursion steps from group to group through an index.
_CLAIM = f"""
WITH RECURSIVE firsts AS (
    ({_FIRST} {_ORDER})
    UNION ALL
    SELECT n.* FROM firsts AS f CROSS JOIN LATERAL (
        {_FIRST} AND (fingerprint, mode) > (f.fingerprint, f.mode) {_ORDER}
    ) AS n
), due AS MATERIALIZED (
    SELECT * FROM firsts AS f
    WHERE (f.alert_after IS NULL OR f.alert_after <= now()) AND NOT EXISTS (
        SELECT FROM dead_letter_queue AS t
        WHERE t.fingerprint = f.fingerprint AND t.mode = f.mode AND t.alerted_at > now() - $1::interval
    )
    ORDER BY f.alert_after NULLS FIRST, f.created_at LIMIT 1
), claimed AS (
    UPDATE dead_letter_queue AS q SET alert_after = now() + $2::interval
    FROM due
    WHERE q.delivery_id = due.delivery_id AND q.seq = due.seq
        AND q.{_UNALERTED.replace("AND ", "AND q.")} AND (q.alert_after IS NULL OR q.alert_after <= now())
    RETURNING q.fingerprint, q.mode, q.channel, q.provider
)
SELECT c.*, s.* FROM claimed AS c CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(created_at) AS first_at, max(created_at) AS last_at
    FROM dead_letter_queue WHERE fingerprint = c.fingerprint AND mode = c.mode AND {_UNALERTED}
) AS s
"""  # noqa: S608  composed of constants

_PUT_OFF = f"""
UPDATE dead_letter_queue SET alert_after = now() + $4::interval
WHERE fingerprint = $1 AND mode = $2 AND created_at <= $3 AND {_UNALERTED} AND alert_after IS NOT NULL
"""  # noqa: S608  composed of constants

_ALERTED = f"""
WITH part AS MATERIALIZED (
    SELECT delivery_id, seq FROM dead_letter_queue
    WHERE fingerprint = $1 AND mode = $2 AND created_at <= $3 AND {_UNALERTED}
    ORDER BY created_at LIMIT $4
), locked AS MATERIALIZED (
    SELECT q.delivery_id, q.seq FROM dead_letter_queue AS q JOIN part USING (delivery_id, seq)
    ORDER BY q.delivery_id, q.seq FOR UPDATE OF q
)
UPDATE dead_letter_queue AS q SET alerted_at = now()
FROM locked AS l WHERE q.delivery_id = l.delivery_id AND q.seq = l.seq
RETURNING q.seq
"""  # noqa: S608  composed of constants


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAlerts:
    """Implements `Alerts`."""

    database: Database

    async def claim(self, *, quiet: timedelta, span: timedelta) -> Appeared | None:
        """One statement, which reads one row of an index when there is nothing to alert of."""
        rows = await self.database.fetch(_CLAIM, quiet, span)
        return Appeared(**rows[0]) if rows else None

    async def postpone(self, appeared: Appeared, pause: timedelta) -> None:
        """The claim on the group ends after `pause`, and the next one may be made."""
        key = (appeared.fingerprint, appeared.mode, appeared.first_at)
        await self.database.fetch(_PUT_OFF, *key, pause)

    async def record_alerted(self, appeared: Appeared) -> None:
        """In chunks.  Those that were written after `last_at` are left for the next alert."""
        key = (appeared.fingerprint, appeared.mode, appeared.last_at)
        while len(await self.database.fetch(_ALERTED, *key, ALERTED_CHUNK)) == ALERTED_CHUNK:
            pass
