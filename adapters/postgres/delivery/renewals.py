"""Renewing the leases of calls that take long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from adapters.postgres.core.database import Database

# Locked in the order of the arrays, which are sorted.
_RENEW = """
UPDATE notification_deliveries AS d SET lease_until = now() + $3, updated_at = now()
FROM unnest($1::uuid[], $2::int[]) AS c (id, attempt)
WHERE d.id = c.id AND d.attempt = c.attempt AND d.status = 'sending' AND d.begun_at IS NOT NULL
RETURNING d.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresRenewals:
    """Implements `Renewals`."""

    database: Database

    async def renew(self, calls: Mapping[UUID, int], *, lease: timedelta) -> frozenset[UUID]:
        """Heap-only updates: no index knows of leases."""
        ids = sorted(calls)
        rows = await self.database.fetch(_RENEW, ids, [calls[id_] for id_ in ids], lease)
        return frozenset(row["id"] for row in rows)
