"""Clearing again: the facts of the gate, read anew for attempts whose call is not made yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import RowsStatement
from application.delivery.ports import ClearanceFacts


class _Attempt(msgspec.Struct, frozen=True):
    """An attempt that is begun."""

    delivery: UUID
    attempt: int


# Rows are locked in the order in which they are given: sorted.
_CLEAR = RowsStatement(
    """
WITH mine AS (
    UPDATE delivery_attempts AS a SET cleared_at = now()
    FROM :rows AS p JOIN notification_deliveries AS d ON d.id = p.delivery
    WHERE a.delivery_id = p.delivery AND a.attempt = p.attempt AND a.outcome = 'open'
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
""",
    _Attempt,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresClearances:
    """Implements `Clearances`."""

    database: Database

    async def clear(self, attempts: Sequence[tuple[UUID, int]]) -> list[ClearanceFacts]:
        """One statement, which also sets `cleared_at` of the attempts that are still ours."""
        given = [_Attempt(delivery, attempt) for delivery, attempt in sorted(attempts)]
        rows = await self.database.fetch(*_CLEAR(given))
        return [ClearanceFacts(**row) for row in rows]
