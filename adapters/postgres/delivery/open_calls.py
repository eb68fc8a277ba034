"""Calls that nobody answered and about which nothing is decided, of deliveries that are about to be sent."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.postgres.core.database import Database
from domain.delivery.reconcile import OpenCall

_OPEN = """
SELECT u.delivery_id, u.attempt, a.provider, a.begun_at, u.created_at AS lost_at
FROM unknown_attempts AS u
JOIN delivery_attempts AS a ON a.delivery_id = u.delivery_id AND a.attempt = u.attempt
WHERE u.delivery_id = ANY($1::uuid[]) AND u.resolved_at IS NULL
ORDER BY u.delivery_id, u.attempt
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOpenCalls:
    """Implements `OpenCalls`."""

    database: Database

    async def of(self, deliveries: Sequence[UUID]) -> Mapping[UUID, tuple[OpenCall, ...]]:
        """See `OpenCalls`."""
        found: dict[UUID, list[OpenCall]] = defaultdict(list)
        for row in await self.database.fetch(_OPEN, list(deliveries)):
            found[row["delivery_id"]].append(
                OpenCall(
                    attempt=row["attempt"],
                    provider=row["provider"],
                    begun_at=row["begun_at"],
                    lost_at=row["lost_at"],
                )
            )
        return {delivery: tuple(calls) for delivery, calls in found.items()}
