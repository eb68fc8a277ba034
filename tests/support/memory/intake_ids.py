"""Promises that came out differently, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from application.intake.ports import FailedNotification
from domain.kernel.ids import time_of
from domain.notification.rollup import NotificationStatus
from tests.support.memory.rows import MemoryRows, NotificationRow
from tests.support.memory.sane import metadata_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryIntakeIds:
    """Implements `IntakeIds`."""

    rows: MemoryRows

    async def alias(self, winners: Mapping[UUID, UUID]) -> None:
        for alias, winner in winners.items():
            self.rows.aliases.setdefault(alias, winner)

    async def fail(self, failed: Sequence[FailedNotification]) -> None:
        given = [
            (each, metadata_of(each.metadata, each.type, each.template_id, each.created_by, each.reason))
            for each in failed
        ]
        for each, metadata in given:
            if each.id in self.rows.notifications:
                continue
            self.rows.notifications[each.id] = NotificationRow(
                id=each.id,
                mode=each.mode,
                type=each.type,
                klass=each.klass,
                channel=each.lane.channel,
                priority=each.lane.priority,
                template_id=each.template_id,
                template_version=each.template_version,
                content=b"",
                metadata=metadata,
                created_by=each.created_by,
                traceparent=each.traceparent,
                status=NotificationStatus.FAILED,
                reason=each.reason,
                created_at=min(time_of(each.id), self.rows.clock.now()),
                updated_at=self.rows.clock.now(),
            )

    async def winner(self, alias: UUID) -> UUID | None:
        return self.rows.aliases.get(alias)
