"""Clearing again: the facts of the gate once more, for attempts that are begun and not called yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.postgres.core.database import Database
from application.delivery.ports import Standing

# Rows are locked in the order of the arrays, which are sorted.
_CLEAR = """
WITH mine AS (
    UPDATE delivery_attempts AS a SET cleared_at = now()
    FROM unnest($1::uuid[], $2::int[]) AS p (id, attempt) JOIN notification_deliveries AS d ON d.id = p.id
    WHERE a.delivery_id = p.id AND a.attempt = p.attempt AND a.outcome = 'open'
        AND d.attempt = p.attempt AND d.status = 'sending' AND d.begun_at IS NOT NULL
        AND d.lease_until > now()
    RETURNING d.id, d.attempt, d.notification_id, d.user_id, d.channel
)
SELECT
    m.id AS delivery, m.attempt, n.cancelled_at IS NOT NULL AS cancelled, s.reason AS suppressed,
    c.is_enabled IS NOT FALSE AS channel_enabled, c.is_paused IS TRUE AS channel_paused,
    u.data_key IS NULL AS erased, now() AS read_at
FROM mine AS m
JOIN notifications AS n ON n.id = m.notification_id
LEFT JOIN channel_configurations AS c ON c.channel = m.channel
LEFT JOIN users AS u ON u.id = m.user_id
LEFT JOIN suppressions AS s ON s.channel = m.channel
    AND s.address_index = CASE m.channel WHEN 'email' THEN u.email_index WHEN 'sms' THEN u.phone_index END
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresClearances:
    """Implements `Clearances`."""

    database: Database

    async def clear(self, attempts: Sequence[tuple[UUID, int]]) -> list[Standing]:
        """One statement."""
        given = sorted(attempts)
        rows = await self.database.fetch(_CLEAR, [id_ for id_, _ in given], [number for _, number in given])
        return [Standing(**row) for row in rows]
