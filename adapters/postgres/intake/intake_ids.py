"""Promises that came out differently: aliases of winners, and failures without a delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import RowsStatement
from application.intake.ports import FailedNotification
from domain.kernel.ids import time_of


class _Alias(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `notification_aliases`."""

    id: UUID
    notification_id: UUID


_ALIAS = RowsStatement(
    """
INSERT INTO notification_aliases (id, notification_id)
SELECT id, notification_id FROM :rows AS given ORDER BY id
ON CONFLICT (id) DO NOTHING
""",
    _Alias,
)


class _FailedNotification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that has failed, as `_FAIL` takes it."""

    id: UUID
    mode: str
    type: str
    klass: str
    channel: str
    priority: int
    template_id: str | None
    template_version: int | None
    metadata: bytes | None
    created_by: str | None
    traceparent: str | None
    reason: str
    created_at: datetime


# No content: there is nobody under whose key it could be kept.
_FAIL = RowsStatement(
    """
INSERT INTO notifications (
    id, mode, type, class, channel, priority, template_id, template_version, content, metadata, created_by,
    traceparent, status, reason, created_at
)
SELECT
    id, mode, type, klass, channel, priority, template_id, template_version, '',
    convert_from(metadata, 'UTF8')::jsonb, created_by, traceparent, 'failed', reason, least(created_at, now())
FROM :rows AS n
ORDER BY id
ON CONFLICT (id) DO NOTHING
""",
    _FailedNotification,
)

_WINNER = "SELECT notification_id FROM notification_aliases WHERE id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresIntakeIds:
    """Implements `IntakeIds`."""

    database: Database

    async def alias(self, winners: Mapping[UUID, UUID]) -> None:
        rows = [_Alias(id=alias, notification_id=winner) for alias, winner in winners.items()]
        await self.database.fetch(*_ALIAS(rows))

    async def fail(self, failed: Sequence[FailedNotification]) -> None:
        rows = [
            _FailedNotification(
                id=each.id,
                mode=each.mode,
                type=each.type,
                klass=each.klass,
                channel=each.lane.channel,
                priority=each.lane.priority,
                template_id=each.template_id,
                template_version=each.template_version,
                metadata=each.metadata,
                created_by=each.created_by,
                traceparent=each.traceparent,
                reason=each.reason,
                created_at=time_of(each.id),
            )
            for each in failed
        ]
        await self.database.fetch(*_FAIL(rows))

    async def winner(self, alias: UUID) -> UUID | None:
        rows = await self.database.fetch(_WINNER, alias)
        return rows[0][0] if rows else None
