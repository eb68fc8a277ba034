"""PostgreSQL, connected: an asyncpg pool for hot, set-wise statements, a SQLAlchemy engine for the rest.

    async with Database(dsn) as database:
        rows = await database.fetch("SELECT …", ids)               # one statement
        async with database.transaction() as connection: …         # several, once
        await database.run(work, busy=InFlight)                    # several, again after a deadlock
        async with database.begin() as connection: …               # SQLAlchemy Core

Nothing connects before it is needed, so a process starts while the database is away.  The DSN is a secret and
stands in no error and no `repr`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapters.postgres.errors import BROKEN, DRIVER_ERRORS, RETRIED, sqlstate, translated
from domain.kernel.errors import PosthornError, StoreUnavailable

T = TypeVar("T")
Connection = asyncpg.Connection | PoolConnectionProxy

TRIES = 4
"""Of work that ends in a deadlock or a serialisation failure."""
TRY_PAUSE = 0.01
"""Seconds before the second try; doubles."""
CONNECT_MAX = 5.0
CLOSE_MAX = 2.0
WAIT_MAX = 10.0
"""Seconds to wait for a free connection."""

# Of the pool, whose statements find rows by key.  Planned once per connection: over a dozen partitions a plan
# costs ten times what it takes to run it.  Made while a partition was empty, it must suit the full one.
_BY_KEY = {"plan_cache_mode": "force_generic_plan"} | dict.fromkeys(
    ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"), "off"
)


class Database:
    """A process's way to its database.  Safe for many tasks of one loop."""

    def __init__(
        self,
        dsn: str,
        *,
        pool_size: int = 10,
        engine_size: int = 4,
        ssl: SSLContext | None = None,
        application_name: str = "posthorn",
        statement_max: timedelta = timedelta(seconds=30),
        lock_max: timedelta = timedelta(seconds=5),
        idle_max: timedelta = timedelta(seconds=10),
    ) -> None:
        """Set up; see `open`.

        Args:
            dsn: `postgresql://user:password@host/db`, or `postgresql://user@/db?host=/socket/folder`.
            ssl: overrides what the DSN says of TLS.
            statement_max, lock_max, idle_max: the server ends what takes longer (0: never); `idle_max` is for
                a transaction in which nothing happens: shorter than any lease, so that the rows of a frozen
                worker are free when others come for them.
        """
        self._dsn = dsn
        self._options: dict[str, Any] = {
            "timeout": CONNECT_MAX,
            # Behind the server's own limit: notices a server that no longer answers at all.
            "command_timeout": statement_max.total_seconds() + 5 if statement_max else None,
            "server_settings": {
                "application_name": application_name,
                "jit": "off",  # compiling costs more than it saves on short statements
                "timezone": "UTC",
                "statement_timeout": _millis(statement_max),
                "lock_timeout": _millis(lock_max),
                "idle_in_transaction_session_timeout": _millis(idle_max),
            },
        } | ({"ssl": ssl} if ssl else {})
        self._pool_size = pool_size
        self._pool: asyncpg.Pool | None = None
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=engine_size,
            max_overflow=0,
            pool_timeout=WAIT_MAX,
            pool_pre_ping=True,
            hide_parameters=True,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
        )

    async def open(self) -> Self:
        """Make the pool; connections are opened when they are needed."""
        options = self._options | {"server_settings": self._options["server_settings"] | _BY_KEY}
        with translated():
            self._pool = await asyncpg.create_pool(
                self._dsn,
                **options,
                min_size=0,
                max_size=self._pool_size,
                connect=_dial,
                reset=_keep,
            )
        return self

    async def close(self) -> None:
        """Wait a little for what is running, then disconnect: the server may be what does not answer."""
        pool, self._pool = self._pool, None
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_MAX):
                await asyncio.gather(self.engine.dispose(), *([pool.close()] if pool else []))

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

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Run one statement and return its rows; again after a deadlock.

        Raises:
            StoreUnavailable: when it writes, its outcome is unknown.
            Invalid: the database refuses a value.
        """
        return await self._retried(lambda: self._fetch(query, args))

    async def run(
        self, work: Callable[[Connection], Awaitable[T]], *, busy: type[PosthornError] = StoreUnavailable
    ) -> T:
        """Run `work` in a transaction, in a new one after a deadlock: it must be able to run again.

        Raises:
            StoreUnavailable, Invalid: as for `fetch`.
            busy: a lock was not free in time.
        """
        return await self._retried(lambda: self._run(work, busy), busy)

    @asynccontextmanager
    async def transaction(self, *, busy: type[PosthornError] = StoreUnavailable) -> AsyncIterator[Connection]:
        """One transaction; commits at the end, rolls back when an error (or a cancellation) leaves it."""
        with translated(busy):
            async with self._acquire() as connection, _transaction(connection):
                yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction of SQLAlchemy Core."""
        with translated():
            async with self.engine.begin() as connection:
                yield connection

    async def _connect(self) -> asyncpg.Connection:
        return await _dial(self._dsn, **self._options)

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[Connection]:
        if self._pool is None:
            raise StoreUnavailable("PostgreSQL: not open")
        async with self._pool.acquire(timeout=WAIT_MAX) as connection:
            try:
                yield connection
            except BROKEN:
                connection.terminate()
                raise

    async def _fetch(self, query: str, args: tuple[Any, ...]) -> list[asyncpg.Record]:
        async with self._acquire() as connection:
            return await connection.fetch(query, *args)

    async def _run(self, work: Callable[[Connection], Awaitable[T]], busy: type[PosthornError]) -> T:
        async with self.transaction(busy=busy) as connection:
            return await work(connection)

    async def _retried(
        self, work: Callable[[], Awaitable[T]], busy: type[PosthornError] = StoreUnavailable
    ) -> T:
        for attempt in range(TRIES):
            try:
                with translated(busy):
                    return await work()
            except StoreUnavailable as error:
                if attempt == TRIES - 1 or sqlstate(error.__cause__ or error) not in RETRIED:
                    raise
            await asyncio.sleep(TRY_PAUSE * 2**attempt)
        raise StoreUnavailable("PostgreSQL: deadlocked")


@asynccontextmanager
async def _transaction(connection: Connection) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    except BaseException:
        with suppress(*DRIVER_ERRORS):  # the first error tells more
            await _to_the_end(transaction.rollback())
        raise
    await _to_the_end(transaction.commit())


async def _to_the_end(step: Coroutine[Any, Any, None]) -> None:
    """Await `step` whole, even when this task is cancelled meanwhile: half a commit would poison the pool."""
    task = asyncio.ensure_future(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at: what counts for the caller is the cancellation
        raise


async def _dial(dsn: str, **options: Any) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, **options)
    except OSError:  # a certificate that is not trusted is a ValueError too
        raise
    except ValueError:  # it quotes what it cannot read, which may be the password
        raise asyncpg.ClientConfigurationError("unreadable DSN") from None


async def _keep(_connection: Connection) -> None:
    """Reset nothing between two users: nobody here changes the session, and a reset costs a round trip."""


def _millis(span: timedelta) -> str:
    return str(span // timedelta(milliseconds=1))
