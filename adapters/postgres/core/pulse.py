"""Whether PostgreSQL answers at all: asked every second on a connection of its own.

A server behind a network that drops packets, or one that stands still, refuses nothing: whoever asks it
waits.  This finds out once, for everybody.  A server that answers with an error is not silent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from adapters.postgres.core.errors import DRIVER_ERRORS

BEAT_MAX = 1.0
"""Seconds for one answer."""
TRIES = 2
"""The second one connects anew; and it may have been this process that was slow."""


class Pulse:
    """`silent` says what is wrong, or is None; nobody asks a silent server on behalf of who waits."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self.silent: str | None = None
        self._connect = connect
        self._connection: asyncpg.Connection | None = None

    async def feel(self) -> None:
        """Look once; never raises for what is wrong with the server."""
        for _ in range(TRIES):
            if await self._answers():
                self.silent = None
                return
        self.silent = "PostgreSQL: no answer"

    async def close(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*DRIVER_ERRORS):
                await connection.close(timeout=BEAT_MAX)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(BEAT_MAX):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._connect()
                await self._connection.execute("SELECT 1")
        except TimeoutError:
            self._drop()
            return False
        except Exception:  # noqa: BLE001  an answer, whatever it is
            self._drop()
        return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
