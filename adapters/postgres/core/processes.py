"""How a process shows that it lives: a row in `processes`, and an advisory lock of a session of its own.

The server drops the lock when the connection ends, and it ends a connection without heartbeats: a process
that is frozen keeps its sockets open, and is dead all the same.  Who lives but gets nothing published gives
the lock back itself.  Needs a direct connection: behind a pooler in transaction mode a session belongs to
nobody.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

import asyncpg

from adapters.postgres.core.database import Database
from adapters.postgres.core.errors import DRIVER_ERRORS, translated
from application.kernel.ports import SharedClock
from application.kernel.supervision import End, Tasks
from domain.kernel.errors import PosthornError, StoreUnavailable

SILENCE_MAX = timedelta(seconds=10)
"""Without a heartbeat for so long the server ends a session, and its locks are free."""

# A machine that vanishes without a word must not keep its lock for the system's two hours.
_KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"

_REGISTER = "INSERT INTO processes (id, role, host, pid) VALUES ($1, $2, $3, $4) RETURNING lock"
_REGISTER_AGAIN = """
INSERT INTO processes (id, role, host, pid, lock) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING
"""
_LOCK = "SELECT pg_advisory_lock($1)"
_UNLOCK = "SELECT pg_advisory_unlock($1)"
_TIME = "SELECT clock_timestamp()"

_FORGET = """
WITH idle AS MATERIALIZED (
    SELECT p.id, p.lock FROM processes AS p
    WHERE p.id <> $1 AND NOT EXISTS (SELECT FROM outbox AS o WHERE o.owner = p.id)
), dead AS MATERIALIZED (
    SELECT id FROM idle WHERE pg_try_advisory_xact_lock(lock)
)
DELETE FROM processes AS p USING dead WHERE p.id = dead.id RETURNING p.id
"""


async def bind_to_heartbeat(connection: asyncpg.Connection, silence_max: timedelta = SILENCE_MAX) -> None:
    """From now on this session and its locks end without a word for so long, whatever its sockets say."""
    await connection.execute(_KEEPALIVE)
    await connection.execute(f"SET idle_session_timeout = {silence_max // timedelta(milliseconds=1)}")


async def hear(database: Database, clock: SharedClock) -> None:
    """Set a clock by the database's once, for a process that has no heartbeat.

    Raises:
        StoreUnavailable.
    """
    asked = clock.monotonic()
    clock.heard((await database.fetch(_TIME))[0][0], asked)


class Presence:
    """Shows others that this process lives, through reconnects, for as long as it is open.

    async with Presence(database, process, role="worker", host=host, pid=pid) as presence: …
    """

    def __init__(
        self,
        database: Database,
        process: UUID,
        *,
        role: str,
        host: str,
        pid: int,
        heartbeat: timedelta = timedelta(seconds=2),
        silence_max: timedelta = SILENCE_MAX,
        clock: SharedClock | None = None,
        tasks: Tasks | None = None,
    ) -> None:
        """Set up; enter it to begin.

        Args:
            heartbeat: between two signs of life.
            silence_max: without one for so long, it is taken for dead.
            clock: hears the database's with every heartbeat.
        """
        self._tasks = tasks or Tasks()
        self._database = database
        self._who = (process, role, host, pid)
        self._heartbeat = heartbeat.total_seconds()
        self._silence_max = silence_max
        self._able: Callable[[], bool] = lambda: True
        self._stands_down = False
        self._clock = clock
        self._lock: int | None = None
        self._connection: asyncpg.Connection | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        """Whether others see this process alive; while not, they may adopt its rows and publish them too."""
        return self._connection is not None and not self._connection.is_closed()

    @property
    def stands_down(self) -> bool:
        """Whether it has given its lock back, because it gets nothing published."""
        return self._stands_down

    def depends_on(self, able: Callable[[], bool]) -> None:
        """Hold the lock only while this is true: what this process commits is published by others then."""
        self._able = able

    async def __aenter__(self) -> Self:
        """Take the lock; with the database away, as soon as it is back.

        Raises:
            Misconfigured: the DSN does not work, or the tables are missing.
        """
        with suppress(StoreUnavailable):
            await self._take()
        self._keeper = self._tasks.keep("presence", self._keep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._connection is not None:
            with suppress(*DRIVER_ERRORS):  # a proper goodbye: the lock is free when this returns
                await self._connection.close(timeout=self._heartbeat)
        self._drop()

    async def forget_dead(self) -> int:
        """Remove the rows of processes that are gone and own nothing any more; return how many.

        Raises:
            StoreUnavailable.
        """
        return len(await self._database.fetch(_FORGET, self._who[0]))

    async def _keep(self) -> None:
        while True:
            try:
                if not self.held:
                    await self._take()
                await asyncio.sleep(self._heartbeat)
                await self._beat()
            except PosthornError as away:  # or not let in for now: `held` says so
                if self._connection is not None:
                    self._tasks.ended("presence", End.LOST, away)
                self._drop()
                await asyncio.sleep(self._heartbeat)

    async def _beat(self) -> None:
        if self._connection is None:
            return
        with translated():
            await self._hear(self._connection)
            if self._stands_down == self._able():
                await self._turn(self._connection)

    async def _hear(self, connection: asyncpg.Connection) -> None:
        asked = self._clock.monotonic() if self._clock else 0.0
        at = await connection.fetchval(_TIME, timeout=self._heartbeat)
        if self._clock is not None:
            self._clock.heard(at, asked)

    async def _turn(self, connection: asyncpg.Connection) -> None:
        """Give the lock back, or take it again."""
        if self._stands_down:
            async with connection.transaction():
                await self._register(connection)
            self._stands_down = False
        else:
            await connection.execute(_UNLOCK, self._lock, timeout=self._heartbeat)
            self._stands_down = True

    async def _take(self) -> None:
        connection = await self._database.connect()
        try:
            with translated():
                await bind_to_heartbeat(connection, self._silence_max)
                await self._hear(connection)
                async with connection.transaction():
                    await self._register(connection)
        except BaseException:
            connection.terminate()
            raise
        self._connection, self._stands_down = connection, False

    async def _register(self, connection: asyncpg.Connection) -> None:
        if self._lock is None:  # the row is visible from the commit on: by then it is locked
            self._lock = await connection.fetchval(_REGISTER, *self._who)
            await connection.execute(_LOCK, self._lock)
        else:  # whoever forgets the row meanwhile holds the lock while doing so
            await connection.execute(_LOCK, self._lock)
            await connection.execute(_REGISTER_AGAIN, *self._who, self._lock)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
