"""Accepting, in memory: a batch is looked at whole, then written whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from application.notification.ports import (
    CommitResult,
    Committed,
    Created,
    Duplicate,
    KeysChanged,
    NewNotification,
    NewUser,
)
from application.outbox.ports import OutboxMessage
from application.user.ports import User
from domain.delivery.delivery import DeliveryStatus
from tests.support.memory import outbox
from tests.support.memory.database_limits import metadata_of
from tests.support.memory.rows import DeliveryRow, HistoryRow, KeyRow, MemoryRows, NotificationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryAcceptance:
    """Implements `Acceptance`.  Nobody waits for a key here, so nothing is `InFlight`.

    Args:
        process: owner of the outbox rows.
    """

    rows: MemoryRows
    process: UUID

    async def keys(self, users: Sequence[UUID]) -> dict[UUID, bytes]:
        known = [self.rows.users[user] for user in users if user in self.rows.users]
        return {user.id: user.data_key for user in known if user.data_key is not None}

    async def accept(
        self,
        notifications: Sequence[NewNotification],
        users: Sequence[NewUser],
        pack: Callable[[Sequence[NewNotification]], list[OutboxMessage]],
    ) -> Committed:
        metadata = {
            n.id: metadata_of(n.metadata, n.type, n.template_id, n.created_by, n.traceparent)
            for n in notifications
        }
        if any(self._key(user.id) not in (None, user.data_key) for user in users):
            raise KeysChanged
        for user in users:
            self._put(user)
        results = [self._result(n) for n in notifications]
        winners = [
            n
            for n, result in zip(notifications, results, strict=True)
            if isinstance(result, Created) and n.id not in self.rows.notifications
        ]
        for n in winners:
            self._insert(n, metadata[n.id])
        messages = pack(winners)
        outbox.write(self.rows, self.process, messages)
        return Committed(results, messages)

    def _key(self, user: UUID) -> bytes | None:
        known = self.rows.users.get(user)
        return known.data_key if known else None

    def _put(self, given: NewUser) -> None:
        known, now = self.rows.users.get(given.id), self.rows.clock.now()
        alive = known is not None and known.data_key is not None
        if alive and (given.profile is None or (known.profile is not None and not given.guest)):
            return
        self.rows.users[given.id] = User(
            id=given.id,
            mode=given.mode,
            guest=known.guest if known else given.guest,
            data_key=given.data_key,
            profile=given.profile,
            email_index=given.email_index,
            phone_index=given.phone_index,
            locale=given.locale,
            timezone=given.timezone,
            version=known.version + 1 if known else 1,
            source_time=known.source_time if known else None,
            created_at=known.created_at if known else now,
            updated_at=now,
        )

    def _result(self, n: NewNotification) -> CommitResult:
        holder = self.rows.idempotency.get(n.key) if n.key else None
        if holder is None and n.legacy_key is not None:
            known = self.rows.idempotency.get(n.legacy_key.key)
            if known is not None and n.legacy_key.fingerprint in (None, known.fingerprint):
                holder = known
        if holder is None or holder.notification_id == n.id:
            return Created(n.id)
        return Duplicate(holder.notification_id, holder.fingerprint)

    def _insert(self, n: NewNotification, metadata: dict[str, Any]) -> None:
        now = self.rows.clock.now()
        accepted_at = n.accepted_at(now)
        if n.key is not None:
            self.rows.idempotency[n.key] = KeyRow(
                fingerprint=n.fingerprint, notification_id=n.id, created_at=now
            )
        self.rows.notifications[n.id] = NotificationRow(
            id=n.id,
            mode=n.mode,
            type=n.type,
            klass=n.klass,
            channel=n.lane.channel,
            priority=n.lane.priority,
            template_id=n.template_id,
            template_version=n.template_version,
            category=n.category,
            routing=n.routing,
            routes=n.routes,
            content=n.content,
            metadata=metadata,
            created_by=n.created_by,
            traceparent=n.traceparent,
            counts={"open": len(n.deliveries)},
            created_at=accepted_at,
            updated_at=now,
        )
        for d in n.deliveries:
            self.rows.deliveries[d.id] = DeliveryRow(
                id=d.id,
                notification_id=n.id,
                user_id=d.user,
                slot=d.slot,
                channel=d.channel or n.lane.channel,
                priority=n.lane.priority,
                rank=d.rank,
                status=DeliveryStatus.STANDBY if d.standby else DeliveryStatus.QUEUED,
                content_key=d.content_key,
                created_at=accepted_at,
                updated_at=now,
            )
            self.rows.history[d.id] = [HistoryRow(status=self.rows.deliveries[d.id].status, at=now)]
