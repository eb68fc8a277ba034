"""Opening connections, their settings, and transactions that end in time whatever the server does."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from adapters.postgres.core import checked_protocol
from adapters.postgres.core.errors import DRIVER_ERRORS, within_driver

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy

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


async def _to_the_end(
    connection: Connection, step: Coroutine[object, object, object], *, hurry: bool = False
) -> None:
    """Await `step` to its end, even when this task is cancelled meanwhile.

    A connection in the middle of a commit must not go back to the pool.

    A server that does not answer is not waited for: `GRACE` seconds after a cancellation, or after the
    beginning with `hurry`, the connection is cut, and the step ends with it.
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


async def dial(dsn: str, **options: object) -> asyncpg.Connection:
    """Connect; no error quotes the DSN."""
    checked_protocol.install()
    try:
        return await asyncpg.connect(dsn, **options)
    except OSError:  # a certificate that is not trusted is a ValueError too
        raise
    except ValueError as fault:
        if within_driver(fault, "connect_addr"):  # what answers is no PostgreSQL
            raise
        # It quotes what it cannot read, which may be the password.
        raise asyncpg.ClientConfigurationError("unreadable DSN") from None


async def keep(_connection: Connection) -> None:
    """Reset nothing when a connection goes back: no code changes its session, and a reset is a round trip."""


def millis(span: timedelta) -> str:
    """Milliseconds of a time span, as PostgreSQL's settings take them."""
    return str(span // timedelta(milliseconds=1))
