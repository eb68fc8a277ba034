"""Open calls, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.delivery.reconcile import OpenCall
from tests.support.memory.rows import MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryOpenCalls:
    """Implements `OpenCalls`."""

    rows: MemoryRows

    async def of(self, deliveries: Sequence[UUID]) -> Mapping[UUID, tuple[OpenCall, ...]]:
        found: dict[UUID, tuple[OpenCall, ...]] = {}
        for (delivery, attempt), row in sorted(self.rows.unknown.items()):
            if delivery in deliveries and row.resolved_at is None:
                call = self.rows.attempts[delivery][attempt]
                found[delivery] = (
                    *found.get(delivery, ()),
                    OpenCall(
                        attempt=attempt,
                        provider=call.provider,
                        begun_at=call.begun_at,
                        lost_at=row.created_at,
                    ),
                )
        return found
