"""Whether PostgreSQL answers at all: asked every second on a connection of its own.

A server behind a network that drops packets, or one that is stopped, refuses nothing: every query waits.
This finds it out once for the whole process.  A server that answers with an error is not silent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from adapters.postgres.core.errors import DRIVER_ERRORS

ANSWER_MAX = 1.0
"""Seconds for one answer."""
TRIES = 2
"""The second one connects anew; and it may have been this process that was slow."""


class Liveness:
    """`silent` says what is wrong, or is None.  While it is set, requests are refused without a query."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self.silent: str | None = None
        self._connect = connect
        self._connection: asyncpg.Connection | None = None

    async def check(self) -> None:
        """Ask the server once, and set `silent`.  Nothing that is wrong with the server is raised."""
        for _ in range(TRIES):
            if await self._answers():
                self.silent = None
                return
        self.silent = "PostgreSQL: no answer"

    async def close(self) -> None:
        """Close the connection that the checks are made on."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*DRIVER_ERRORS):
                await connection.close(timeout=ANSWER_MAX)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_MAX):
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
