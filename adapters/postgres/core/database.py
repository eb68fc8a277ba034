"""PostgreSQL, connected: asyncpg pools, one for the work of processes and one for lists that people read.

    async with Database(dsn) as database:
        rows = await database.fetch("SELECT …", ids)               # one statement
        rows = await database.fetch_list("SELECT …", limit)        # one list
        await database.run(work)                                   # several, again after a deadlock
        async with database.transaction() as connection: …         # several, once

SQLAlchemy Core writes the statements whose conditions vary (`adapters.postgres.core.statement`); it connects
to nothing.  Lists have connections of their own and little time: what accepting needs is there, however many
are read.  Nothing connects before it is needed: a process starts while the database is away.  No error and no
`repr` quotes the DSN.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncpg

from adapters.postgres.core.errors import RETRIED, brief, lost, sqlstate, translated
from adapters.postgres.core.liveness import Liveness
from adapters.postgres.core.sessions import (
    BY_FILTER,
    BY_KEY,
    GRACE,
    Connection,
    dial,
    keep,
    millis,
    transaction,
)
from application.kernel import budget
from domain.kernel.errors import Overloaded, StoreUnavailable

T = TypeVar("T")

TRIES = 4
"""Of work that ends in a deadlock or a serialisation failure."""
TRY_PAUSE = 0.01
"""Seconds before the second try; doubles."""
CONNECT_MAX, CLOSE_MAX = 5.0, 2.0
WAIT_MAX = 10.0
"""Seconds to wait for a free connection."""
LISTS, LIST_WAIT_MAX = 4, 0.5
"""Connections for lists, and seconds to wait for one.  With `LIST_MAX_MS` it fits into a request's budget."""


class Database:
    """A process's way to its database.  Safe for many tasks of one loop."""

    def __init__(
        self,
        dsn: str,
        *,
        pool_size: int = 10,
        ssl: SSLContext | None = None,
        application_name: str = "posthorn",
        statement_max: timedelta = timedelta(seconds=30),
        lock_max: timedelta = timedelta(seconds=5),
        idle_max: timedelta = timedelta(seconds=10),
    ) -> None:
        """Set up.

        Args:
            dsn: `postgresql://user:password@host/db`, or `postgresql://user@/db?host=/socket/folder`.
            ssl: overrides what the DSN says of TLS.
            statement_max, lock_max, idle_max: the server ends what takes longer (0: never); `idle_max` is for
                a transaction in which nothing happens: shorter than any lease, so that the rows of a frozen
                worker are free when others come for them.
        """
        self._dsn = dsn
        self._options: dict[str, Any] = {  # of asyncpg
            "timeout": CONNECT_MAX,
            # Behind the server's own limit: notices a server that no longer answers at all.
            "command_timeout": statement_max.total_seconds() + 5 if statement_max else None,
            "server_settings": {
                "application_name": application_name,
                "jit": "off",  # compiling costs more than it saves on short statements
                "timezone": "UTC",
                "statement_timeout": millis(statement_max),
                "lock_timeout": millis(lock_max),
                "idle_in_transaction_session_timeout": millis(idle_max),
            },
        } | ({"ssl": ssl} if ssl else {})
        self._pool_size = pool_size
        self._pool: asyncpg.Pool | None = None
        self._lists: asyncpg.Pool | None = None
        self._list_turns = asyncio.Semaphore(LISTS)
        self._lists_under_way = 0
        self.liveness = Liveness(self._connect)

    async def open(self) -> Self:
        """Make the pools; connections are opened when they are needed."""
        self._pool = await self._make_pool(self._pool_size, BY_KEY)
        self._lists = await self._make_pool(LISTS, BY_FILTER)
        return self

    async def close(self) -> None:
        """Wait a little for what is running, then disconnect: the server may be what does not answer."""
        pools, self._pool, self._lists = (self._pool, self._lists), None, None
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_MAX):
                await asyncio.gather(self.liveness.close(), *(pool.close() for pool in pools if pool))

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> asyncpg.Connection:
        """A connection of one's own, for session locks; close it.

        Raises:
            StoreUnavailable, Misconfigured.
        """
        with translated():
            return await self._connect()

    def silent(self) -> str | None:
        """Why nobody who is waited for should ask: the server answers nothing.  See `Liveness`."""
        return self.liveness.silent

    @property
    def lists_under_way(self) -> int:
        """How many lists are being read, at most `LISTS`."""
        return self._lists_under_way

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement and return its rows; again after a deadlock.

        Raises:
            StoreUnavailable: when it writes, its outcome is unknown.
            Invalid: the database refuses a value.
        """
        return await self._retried(lambda: self._fetch(query, args))

    async def fetch_list(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one query for people, who wait for little and ask for much, and return its rows.

        Raises:
            Overloaded: too many lists are read at once, or this one takes too long.
            StoreUnavailable, Invalid: as for `fetch`.
        """
        async with self._patience(), self._list_turn():
            with translated(), brief():
                async with self._acquire(self._lists) as connection:
                    found: list[asyncpg.Record] = await connection.fetch(query, *args)
                    return found

    async def run(
        self, work: Callable[[Connection], Awaitable[T]], *, lock_max: timedelta | None = None
    ) -> T:
        """Run `work` in a transaction, in a new one after a deadlock: it must be able to run again.

        Args:
            lock_max: longest wait for one lock, in place of the usual one.

        Raises:
            StoreUnavailable, Invalid: as for `fetch`.
        """
        return await self._retried(lambda: self._run(work, lock_max))

    @asynccontextmanager
    async def transaction(self, *, lock_max: timedelta | None = None) -> AsyncIterator[Connection]:
        """One transaction; commits at the end, rolls back when an error (or a cancellation) leaves it."""
        with translated():
            async with self._acquire(self._pool) as connection, transaction(connection, lock_max):
                yield connection

    def _patience(self) -> AbstractAsyncContextManager[None]:
        """For who is waited for: within the request's budget, and not at all while nobody answers."""
        if not budget.limited():
            return nullcontext()
        if (silent := self.silent()) is not None:
            raise StoreUnavailable(silent)
        return budget.waiting()

    def _set(self, settings: dict[str, str]) -> dict[str, Any]:  # options of asyncpg
        return self._options | {"server_settings": self._options["server_settings"] | settings}

    async def _make_pool(self, size: int, settings: dict[str, str]) -> asyncpg.Pool:
        with translated():
            return await asyncpg.create_pool(
                self._dsn, **self._set(settings), min_size=0, max_size=size, connect=dial, reset=keep
            )

    @asynccontextmanager
    async def _list_turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(LIST_WAIT_MAX):
                await self._list_turns.acquire()
        except TimeoutError:
            raise Overloaded("too many lists are being read: ask again shortly") from None
        self._lists_under_way += 1
        try:
            yield
        finally:
            self._lists_under_way -= 1
            self._list_turns.release()

    async def _connect(self) -> asyncpg.Connection:
        return await dial(self._dsn, **self._options)

    @asynccontextmanager
    async def _acquire(self, pool: asyncpg.Pool | None) -> AsyncIterator[Connection]:
        if pool is None:
            raise StoreUnavailable("PostgreSQL: not open")
        connection = await pool.acquire(timeout=WAIT_MAX)
        try:
            yield connection
        except Exception as error:
            if lost(error):
                connection.terminate()
            raise
        finally:
            with suppress(TimeoutError):  # a statement that was given up does not end: the connection is cut
                await pool.release(connection, timeout=GRACE)

    async def _fetch(self, query: str, args: tuple[object, ...]) -> list[asyncpg.Record]:
        async with self._acquire(self._pool) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(query, *args)
            return rows

    async def _run(self, work: Callable[[Connection], Awaitable[T]], lock_max: timedelta | None) -> T:
        async with self.transaction(lock_max=lock_max) as connection:
            return await work(connection)

    async def _retried(self, work: Callable[[], Awaitable[T]]) -> T:
        async with self._patience():
            for attempt in range(TRIES):
                try:
                    with translated():
                        return await work()
                except StoreUnavailable as error:
                    if attempt == TRIES - 1 or sqlstate(error.__cause__ or error) not in RETRIED:
                        raise
                await asyncio.sleep(TRY_PAUSE * 2**attempt)
        raise StoreUnavailable("PostgreSQL: deadlocked")
