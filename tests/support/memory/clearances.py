"""Clearing again, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.delivery.ports import ClearanceFacts
from domain.delivery.delivery import DeliveryStatus
from tests.support.memory.rows import MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryClearances:
    """Implements `Clearances`."""

    rows: MemoryRows

    async def clear(self, attempts: Sequence[tuple[UUID, int]]) -> list[ClearanceFacts]:
        return [self._stand(id_, number) for id_, number in attempts if self._ours(id_, number)]

    def _ours(self, id_: UUID, number: int) -> bool:
        row = self.rows.deliveries.get(id_)
        if row is None or row.attempt != number or row.status is not DeliveryStatus.SENDING:
            return False
        now = self.rows.clock.now()
        return row.begun_at is not None and row.lease_until is not None and row.lease_until > now

    def _stand(self, id_: UUID, number: int) -> ClearanceFacts:
        row, now = self.rows.deliveries[id_], self.rows.clock.now()
        self.rows.attempts[id_][number].cleared_at = now
        user, configured = self.rows.users.get(row.user_id), self.rows.channels.get(row.channel)
        index = user and {"email": user.email_index, "sms": user.phone_index}.get(row.channel)
        return ClearanceFacts(
            delivery=id_,
            attempt=number,
            cancelled=self.rows.notifications[row.notification_id].cancelled_at is not None,
            suppressed=self.rows.suppressions.get((row.channel, index)) if index else None,
            channel_enabled=configured.value.enabled if configured else True,
            channel_paused=configured.value.paused if configured else False,
            erased=user is None or user.data_key is None,
            read_at=now,
        )
