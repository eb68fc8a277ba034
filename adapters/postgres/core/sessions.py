"""Connections as the house wants them, and transactions on them that end promptly, whatever hangs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.postgres.core import wary
from adapters.postgres.core.errors import DRIVER_ERRORS, within_driver
from domain.kernel.number import json_text, read_json

Connection = asyncpg.Connection | PoolConnectionProxy

GRACE = 0.25
"""Seconds for a statement that is given up to end properly; then the connection is cut."""

LIST_MAX_MS = 1_800
"""The server ends a list that takes longer."""

# Of the pool, whose statements find rows by key.  Planned once per connection: over a dozen partitions a plan
# costs ten times what it takes to run it.  Made while a partition was empty, it must suit the full one.
BY_KEY = {"plan_cache_mode": "force_generic_plan"} | dict.fromkeys(
    ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"), "off"
)

# Of lists, planned each time: what stands in a filter decides how its rows are found.
BY_FILTER = {"plan_cache_mode": "force_custom_plan"} | dict.fromkeys(
    ("statement_timeout", "lock_timeout"), str(LIST_MAX_MS)
)


@asynccontextmanager
async def transaction(connection: Connection, lock_max: timedelta | None = None) -> AsyncIterator[None]:
    """Commit at the end, roll back when an error or a cancellation leaves it.

    Args:
        lock_max: in place of the session's.
    """
    local = f"; SET LOCAL lock_timeout = {millis(lock_max)}" if lock_max else ""
    await connection.execute(f"BEGIN{local}")
    try:
        yield
    except BaseException:
        with suppress(*DRIVER_ERRORS):  # the first error tells more
            await _to_the_end(connection, connection.execute("ROLLBACK"), hurry=True)
        raise
    await _to_the_end(connection, connection.execute("COMMIT"))


async def _to_the_end(connection: Connection, step: Coroutine[Any, Any, Any], *, hurry: bool = False) -> None:
    """Await `step` whole, even when this task is cancelled meanwhile: half a commit would poison the pool.

    But a server that does not answer is not waited for: `GRACE` after a cancellation, with `hurry` always,
    the connection is cut, and with it the step.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(step)
    cut = loop.call_later(GRACE, connection.terminate) if hurry else None
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        cut = cut or loop.call_later(GRACE, connection.terminate)
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at: what counts for the caller is the cancellation
        raise
    finally:
        if cut is not None:
            cut.cancel()


async def dial(dsn: str, **options: Any) -> asyncpg.Connection:
    """Connect; no error quotes the DSN."""
    wary.install()
    try:
        return await asyncpg.connect(dsn, **options)
    except OSError:  # a certificate that is not trusted is a ValueError too
        raise
    except ValueError as fault:
        if within_driver(fault, "connect_addr"):  # what answers is no PostgreSQL
            raise
        # It quotes what it cannot read, which may be the password.
        raise asyncpg.ClientConfigurationError("unreadable DSN") from None


def core_engine(
    connect: Callable[[], Awaitable[asyncpg.Connection]], size: int, wait_max: float
) -> AsyncEngine:
    """SQLAlchemy over such connections, up to `size`; who waits for one longer than `wait_max` s is told."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=size,
        max_overflow=0,
        pool_timeout=wait_max,
        pool_pre_ping=True,
        hide_parameters=True,
        json_serializer=json_text,
        json_deserializer=read_json,
    )
    # A connection that is given up is cut: SQLAlchemy would wait two seconds for its goodbye.
    engine.dialect.do_terminate = _cut  # type: ignore[method-assign]
    return engine


def _cut(connection: Any) -> None:
    connection.driver_connection.terminate()


async def keep(_connection: Connection) -> None:
    """Reset nothing between two users: nobody here changes the session, and a reset costs a round trip."""


def millis(span: timedelta) -> str:
    """As PostgreSQL's settings have it."""
    return str(span // timedelta(milliseconds=1))
