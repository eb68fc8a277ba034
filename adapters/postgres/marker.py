"""Which mark the broker must bear: one row, changed by one process at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from adapters.postgres.database import CLOSE_MAX, Database
from adapters.postgres.errors import DRIVER_ERRORS, translated

LOCK = 0x706F_7374_0002
"""Advisory, of a session: one process at a time issues pointers again."""

_MARKER = "SELECT id FROM broker_marker ORDER BY created_at DESC LIMIT 1"
_REPLACE = """
WITH gone AS (DELETE FROM broker_marker WHERE id <> $1)
INSERT INTO broker_marker (id) VALUES ($1) ON CONFLICT (id) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresMarker:
    """Implements `KnownMarker`."""

    database: Database

    async def marker(self) -> UUID | None:
        rows = await self.database.fetch(_MARKER)
        return rows[0][0] if rows else None

    async def replace(self, marker: UUID) -> None:
        await self.database.fetch(_REPLACE, marker)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """The lock hangs on a connection of its own: who dies leaves it free."""
        connection = await self.database.connect()
        try:
            with translated():
                mine = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK))
            yield mine
        finally:
            with suppress(*DRIVER_ERRORS):
                await connection.close(timeout=CLOSE_MAX)
