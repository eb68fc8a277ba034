"""Promises that came out differently: aliases of winners, and failures without a delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.postgres.core.database import Database
from application.intake.ports import FailedNotification
from domain.kernel.ids import time_of

_ALIAS = """
INSERT INTO notification_aliases (id, notification_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS given (id, notification_id) ORDER BY id
ON CONFLICT (id) DO NOTHING
"""

# No content: there is nobody under whose key it could be kept.
_FAIL = """
INSERT INTO notifications (
    id, mode, type, class, channel, priority, template_id, template_version, content, metadata, created_by,
    traceparent, status, reason, created_at
)
SELECT
    id, mode, type, class, channel, priority, template_id, template_version, '',
    convert_from(metadata, 'UTF8')::jsonb, created_by, traceparent, 'failed', reason, least(created_at, now())
FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::int[],
    $9::bytea[], $10::text[], $11::text[], $12::text[], $13::timestamptz[]
) AS n (
    id, mode, type, class, channel, priority, template_id, template_version, metadata, created_by,
    traceparent, reason, created_at
)
ORDER BY id
ON CONFLICT (id) DO NOTHING
"""

_WINNER = "SELECT notification_id FROM notification_aliases WHERE id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPromises:
    """Implements `Promises`."""

    database: Database

    async def alias(self, winners: Mapping[UUID, UUID]) -> None:
        await self.database.fetch(_ALIAS, list(winners.keys()), list(winners.values()))

    async def fail(self, failed: Sequence[FailedNotification]) -> None:
        await self.database.fetch(
            _FAIL,
            [each.id for each in failed],
            [each.mode for each in failed],
            [each.type for each in failed],
            [each.klass for each in failed],
            [each.lane.channel for each in failed],
            [each.lane.priority for each in failed],
            [each.template_id for each in failed],
            [each.template_version for each in failed],
            [each.metadata for each in failed],
            [each.created_by for each in failed],
            [each.traceparent for each in failed],
            [each.reason for each in failed],
            [time_of(each.id) for each in failed],
        )

    async def winner(self, alias: UUID) -> UUID | None:
        rows = await self.database.fetch(_WINNER, alias)
        return rows[0][0] if rows else None
