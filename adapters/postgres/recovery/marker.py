"""The markers of the broker, a row each: the one that must be there, and those of unfinished recoveries."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from adapters.postgres.core.database import CLOSE_MAX, Database
from adapters.postgres.core.errors import DRIVER_ERRORS, translated
from adapters.postgres.core.processes import SILENCE_MAX, bind_to_heartbeat
from application.recovery.ports import Markers
from domain.kernel.errors import Conflict

LOCK = 0x706F_7374_0002
"""Advisory, of a session: one process at a time issues pointers again."""

_MARKS = (
    "SELECT id, current_since IS NOT NULL AS current FROM broker_marker ORDER BY created_at DESC, id DESC"
)
_INTEND = "INSERT INTO broker_marker (id) VALUES ($1) ON CONFLICT (id) DO NOTHING"
_SET_CURRENT = """
WITH known AS MATERIALIZED (SELECT FROM broker_marker WHERE id = $1), gone AS (
    DELETE FROM broker_marker WHERE id = ANY($2::uuid[]) AND id <> $1 AND EXISTS (SELECT FROM known)
)
UPDATE broker_marker SET current_since = CASE WHEN id = $1 THEN now() END, position = NULL
WHERE (id = $1 OR id <> ALL($2::uuid[])) AND EXISTS (SELECT FROM known)
RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresMarker:
    """Implements `KnownMarker`.

    Args:
        silence_max: after so long without a heartbeat a process is alone no more.
    """

    database: Database
    silence_max: timedelta = SILENCE_MAX

    async def markers(self) -> Markers:
        rows = await self.database.fetch(_MARKS)
        return Markers(
            current=next((row["id"] for row in rows if row["current"]), None),
            others=tuple(row["id"] for row in rows if not row["current"]),
        )

    async def register(self, marker: UUID) -> None:
        await self.database.fetch(_INTEND, marker)

    async def set_current(self, marker: UUID, gone: Sequence[UUID]) -> None:
        if not await self.database.fetch(_SET_CURRENT, marker, list(gone)):
            raise Conflict("another process has issued everything meanwhile")

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """The lock is of a session with heartbeats: it is free again when the process dies or freezes."""
        connection = await self.database.connect()
        beating: asyncio.Task[None] | None = None
        try:
            with translated():
                await bind_to_heartbeat(connection, self.silence_max)
                mine = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK))
            if mine:
                beating = asyncio.create_task(self._beat(connection), name="marker heartbeat")
            yield mine
        finally:
            if beating is not None:
                beating.cancel()
                await asyncio.wait([beating])
            with suppress(*DRIVER_ERRORS):
                await connection.close(timeout=CLOSE_MAX)

    async def _beat(self, connection: asyncpg.Connection) -> None:
        """Send heartbeats until the connection is lost; the lock is lost with it."""
        every = self.silence_max.total_seconds() / 5
        with suppress(*DRIVER_ERRORS):
            while True:
                await asyncio.sleep(every)
                await connection.execute("SELECT", timeout=every)
