"""Renewing leases, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.delivery.delivery import DeliveryStatus
from tests.support.memory.rows import MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRenewals:
    """Implements `Renewals`."""

    rows: MemoryRows

    async def renew(self, calls: Mapping[UUID, int], *, lease: timedelta) -> frozenset[UUID]:
        now = self.rows.clock.now()
        ours = [row for id_ in calls if (row := self.rows.deliveries.get(id_)) is not None]
        ours = [
            row
            for row in ours
            if row.attempt == calls[row.id] and row.status is DeliveryStatus.SENDING and row.begun_at
        ]
        for row in ours:
            row.lease_until, row.updated_at = now + lease, now
        return frozenset(row.id for row in ours)
