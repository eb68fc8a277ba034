"""Notifications and what became of them, in memory."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from application.delivery.views import AttemptView, DeliveryView
from application.notification.ports import Filter
from application.notification.views import HistoryView, NotificationView
from domain.kernel.ids import millis_of
from domain.notification.rollup import Counts
from tests.support.memory.device_results import shown_results
from tests.support.memory.rows import AttemptRow, DeliveryRow, MemoryRows, NotificationRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReader:
    """Implements `Reader`."""

    rows: MemoryRows

    async def notification(self, notification: UUID, mode: str) -> NotificationView | None:
        row = self.rows.notifications.get(notification)
        return _notification(row) if row is not None and row.mode == mode else None

    async def notifications(self, wanted: Filter, before: UUID | None, limit: int) -> list[NotificationView]:
        found = [
            row
            for row in self.rows.notifications.values()
            if (before is None or row.id < before) and self._matches(row, wanted)
        ]
        return [_notification(row) for row in sorted(found, key=lambda row: row.id, reverse=True)[:limit]]

    async def deliveries(
        self, notification: UUID, after: UUID | None, limit: int, *, statuses: tuple[str, ...] = ()
    ) -> list[DeliveryView]:
        found = [
            row
            for row in self.rows.deliveries_of(notification)
            if (after is None or row.id > after) and (not statuses or row.status in statuses)
        ]
        return [self._delivery(row) for row in found[:limit]]

    async def history(
        self, notification: UUID, after: tuple[UUID, int] | None, limit: int
    ) -> list[HistoryView]:
        moves = [
            HistoryView(
                delivery=row.id, n=n, status=move.status, reason=move.reason, actor=move.actor, at=move.at
            )
            for row in self.rows.deliveries_of(notification)
            for n, move in enumerate(self.rows.history.get(row.id, []), start=1)
        ]
        return [move for move in moves if after is None or (move.delivery, move.n) > after][:limit]

    def _matches(self, row: NotificationRow, wanted: Filter) -> bool:
        millis = millis_of(row.id)
        return (
            row.mode == wanted.mode
            and (not wanted.statuses or row.status in wanted.statuses)
            and (not wanted.types or row.type in wanted.types)
            and wanted.channel in (None, row.channel, *(route.channel for route in row.routes))
            and wanted.created_by in (None, row.created_by)
            and (wanted.created_after is None or millis >= _millis(wanted.created_after))
            and (wanted.created_before is None or millis < _millis(wanted.created_before))
            and all(n in row.metadata and _same(row.metadata[n], v) for n, v in wanted.metadata.items())
            and (
                wanted.user is None or any(d.user_id == wanted.user for d in self.rows.deliveries_of(row.id))
            )
        )

    def _delivery(self, row: DeliveryRow) -> DeliveryView:
        user = self.rows.users.get(row.user_id)
        attempts = self.rows.attempts.get(row.id, {})
        return DeliveryView(
            id=row.id,
            notification=row.notification_id,
            user=row.user_id,
            channel=row.channel,
            status=row.status,
            reason=row.reason,
            provider=row.provider,
            attempts=[_attempt(attempts[number]) for number in sorted(attempts)],
            not_before=row.not_before,
            held_at=row.held_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
            data_key=user.data_key if user else None,
            profile=user.profile if user else None,
            devices=shown_results(self.rows, row),
        )


def _notification(row: NotificationRow) -> NotificationView:
    return NotificationView(
        id=row.id,
        mode=row.mode,
        type=row.type,
        klass=row.klass,
        channel=row.channel,
        priority=row.priority.label,
        status=row.status,
        reason=row.reason,
        template_id=row.template_id,
        template_version=row.template_version,
        category=row.category,
        routing=row.routing,
        routes=row.routes,
        metadata=row.metadata,
        created_by=row.created_by,
        counts=Counts(**row.counts),
        created_at=row.created_at,
        updated_at=row.updated_at,
        cancelled_at=row.cancelled_at,
    )


def _attempt(row: AttemptRow) -> AttemptView:
    return AttemptView(
        number=row.attempt,
        provider=row.provider,
        outcome=row.outcome,
        reason=row.reason,
        reference=row.reference,
        begun_at=row.begun_at,
        cleared_at=row.cleared_at,
        settled_at=row.settled_at,
        latency_ms=row.latency_ms,
    )


def _millis(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(milliseconds=1)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON is: 1 is 1.0, but not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other
