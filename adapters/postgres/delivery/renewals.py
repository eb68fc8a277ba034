"""Renewing the leases of calls that take longer than a lease."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import RowsStatement


class _Call(msgspec.Struct, frozen=True):
    """A call that has not ended."""

    delivery: UUID
    attempt: int


# Rows are locked in the order in which they are given: sorted.
_RENEW = RowsStatement(
    """
UPDATE notification_deliveries AS d SET lease_until = now() + :lease, updated_at = now()
FROM :rows AS c
WHERE d.id = c.delivery AND d.attempt = c.attempt AND d.status = 'sending' AND d.begun_at IS NOT NULL
RETURNING d.id
""",
    _Call,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresRenewals:
    """Implements `Renewals`."""

    database: Database

    async def renew(self, calls: Mapping[UUID, int], *, lease: timedelta) -> frozenset[UUID]:
        """One statement.  Its updates are heap-only, since no index has the end of a lease."""
        given = [_Call(delivery, calls[delivery]) for delivery in sorted(calls)]
        rows = await self.database.fetch(*_RENEW(given, lease=lease))
        return frozenset(row["id"] for row in rows)
