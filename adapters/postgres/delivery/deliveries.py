"""The delivery engine's rows: `Deliveries` on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from adapters.postgres.delivery.lease import take
from adapters.postgres.delivery.settle import settle
from adapters.postgres.outbox import rows as outbox
from application.delivery.ports import STRIKES_FREE, Begin, Leases, NotDueYet, Settled, Settlement
from application.kernel.ports import Ids
from application.outbox.dispatch import delayed, messages
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage
from domain.kernel.channel import Lane

# After an interrupted predecessor the history stands at `unknown`: sending again passes through `queued`.
_BEGIN = RowsStatement(
    """
WITH mine AS (
    UPDATE notification_deliveries AS d SET
        begun_at = now(),
        provider = b.provider,
        history_n = d.history_n + 1 + (d.reason IS NOT NULL)::int,
        updated_at = now()
    FROM :rows AS b
    WHERE d.id = b.delivery
        AND d.attempt = b.attempt AND d.status = 'sending' AND d.begun_at IS NULL AND d.lease_until > now()
    RETURNING d.id, d.attempt, d.provider, d.history_n, d.reason IS NOT NULL AS resent, b.asks
), begun AS (
    INSERT INTO delivery_attempts (delivery_id, attempt, provider, worker, cleared_at)
    SELECT id, attempt, provider, :worker, :cleared_at FROM mine
), history AS (
    INSERT INTO delivery_status_history (delivery_id, n, status)
    SELECT id, history_n - 1, 'queued' FROM mine WHERE resent
    UNION ALL
    SELECT id, history_n, 'sending' FROM mine
), resent AS (
    UPDATE unknown_attempts AS u SET resolution = 'resend', resolved_at = now()
    FROM mine WHERE mine.resent AND NOT mine.asks AND u.delivery_id = mine.id AND u.resolved_at IS NULL
)
SELECT id FROM mine
""",
    Begin,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDeliveries:
    """Implements `Deliveries`.

    Args:
        process: stands with its attempts and owns the outbox rows.
    """

    database: Database
    process: UUID
    ids: Ids

    async def lease(
        self, pointers: Sequence[Pointer], *, lease: timedelta, strikes_max: int = STRIKES_FREE
    ) -> Leases:
        """One statement, and a second one only for pointers that could not be leased, which are rare."""
        return await take(self.database, self.process, self.ids, pointers, lease, strikes_max)

    async def begin(self, attempts: Sequence[Begin], *, cleared_at: datetime) -> frozenset[UUID]:
        """One statement.  A lease that has ended is not ours any more, taken over or not."""
        if not attempts:
            return frozenset()
        given = sorted(attempts, key=lambda begin: begin.delivery)
        rows = await self.database.fetch(*_BEGIN(given, worker=self.process, cleared_at=cleared_at))
        return frozenset(row["id"] for row in rows)

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        """One transaction: see `adapters.postgres.delivery.settle`."""
        if not settlements:
            return Settled([], [])
        return await self.database.run(
            lambda connection: settle(connection, self.process, self.ids, settlements)
        )

    async def postpone(self, lane: Lane, pointers: Sequence[NotDueYet]) -> list[OutboxMessage]:
        """Those that wait alike travel together."""
        if not pointers:
            return []

        async def work(connection: Connection) -> list[OutboxMessage]:
            now = await connection.fetchval("SELECT now()")
            made = messages((delayed(p.pointer, lane, p.wait, now) for p in pointers), self.ids)
            await outbox.write(connection, self.process, made)
            return made

        return await self.database.run(work)
