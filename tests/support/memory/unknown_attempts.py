"""Calls whose outcome nobody knows, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.attempt.ports import Resolution, UnknownAttempt, UnknownFilter
from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, dead_letter, messages
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage
from domain.delivery.delivery import DeliveryStatus, advance
from domain.kernel.errors import Conflict, NotFound
from tests.support.memory import outbox
from tests.support.memory.counters import count
from tests.support.memory.dead_letters import dead_letter_row, reissue
from tests.support.memory.next_channel import follow
from tests.support.memory.rows import MemoryRows, UnknownRow

_S = DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUnknownAttempts:
    """Implements `UnknownAttempts`.

    Args:
        process: owner of the outbox rows.
    """

    rows: MemoryRows
    process: UUID
    ids: Ids

    async def page(
        self, wanted: UnknownFilter, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> Sequence[UnknownAttempt]:
        found = [
            row
            for row in self.rows.unknown.values()
            if self._matches(row, wanted) and (before is None or _order(row) < before)
        ]
        return [self._shown(row) for row in sorted(found, key=_order, reverse=True)[:limit]]

    async def resolve(
        self, delivery: UUID, attempt: int, mode: str, resolution: Resolution, actor: str
    ) -> list[OutboxMessage]:
        row = self.rows.unknown.get((delivery, attempt))
        if row is None or self.rows.notifications[row.notification_id].mode != mode:
            raise NotFound(f"no unknown attempt {attempt} of delivery {delivery}")
        if not self._held(row):
            why = "it is resolved already" if row.resolved_at else "its delivery does not rest on it"
            raise Conflict(f"{why}: the delivery is {self.rows.deliveries[delivery].status}")
        dispatches = self._move(row, resolution, actor)
        self.rows.resolve(delivery, resolution, actor)
        made = messages(dispatches, self.ids)
        outbox.write(self.rows, self.process, made)
        return made

    async def held(self) -> int:
        return len({row.delivery_id for row in self.rows.unknown.values() if self._held(row)})

    def _move(self, row: UnknownRow, resolution: Resolution, actor: str) -> list[Dispatch]:
        delivery, reason = self.rows.deliveries[row.delivery_id], f"resolved as {resolution}"
        if resolution is Resolution.RESEND:
            return [reissue(self.rows, delivery, reason=reason, actor=actor)]
        becomes = advance(delivery.status, _S(resolution.value))
        delivery.status, delivery.updated_at = becomes, self.rows.clock.now()
        delivery.held_at, delivery.reason = None, reason if becomes is _S.FAILED else None
        delivery.sent_at = delivery.updated_at if becomes is _S.SENT else delivery.sent_at
        delivery.seq += becomes is _S.FAILED
        self.rows.record(delivery, becomes, reason, actor)
        count(self.rows, delivery.notification_id, _S.UNKNOWN, becomes)
        taking_over = follow(self.rows, delivery)
        if becomes is _S.SENT or taking_over:
            return taking_over
        dead_letter_row(self.rows, delivery)
        return [dead_letter(Pointer(delivery.id, delivery.seq), self.rows.lane(delivery))]

    def _held(self, row: UnknownRow) -> bool:
        return self.rows.deliveries[row.delivery_id].status is _S.UNKNOWN and row.resolved_at is None

    def _matches(self, row: UnknownRow, wanted: UnknownFilter) -> bool:
        return (
            self.rows.notifications[row.notification_id].mode == wanted.mode
            and wanted.held in (None, self._held(row))
            and wanted.resolved in (None, row.resolved_at is not None)
            and wanted.channel in (None, row.channel)
            and wanted.provider in (None, row.provider)
            and wanted.notification in (None, row.notification_id)
            and (wanted.created_after is None or row.created_at >= wanted.created_after)
            and (wanted.created_before is None or row.created_at < wanted.created_before)
        )

    def _shown(self, row: UnknownRow) -> UnknownAttempt:
        notification = self.rows.notifications[row.notification_id]
        return UnknownAttempt(
            delivery=row.delivery_id,
            attempt=row.attempt,
            notification=row.notification_id,
            type=notification.type,
            klass=notification.klass,
            channel=row.channel,
            provider=row.provider,
            reason=row.reason,
            status=self.rows.deliveries[row.delivery_id].status,
            held=self._held(row),
            created_at=row.created_at,
            resolved_at=row.resolved_at,
            resolved_by=row.resolved_by,
            resolution=row.resolution,
        )


def _order(row: UnknownRow) -> tuple[datetime, UUID, int]:
    return row.created_at, row.delivery_id, row.attempt
