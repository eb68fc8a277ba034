"""Bring a database to the newest schema, or back: Alembic under an advisory lock, then the partitions.

Alembic is imported where it is used: whoever is at work all day has no use for it, and starts without it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.postgres.core.database import Database
from adapters.postgres.core.errors import translated
from adapters.postgres.core.partitions import ensure_partitions
from domain.kernel.errors import Misconfigured

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 0x706F_7374_0000
"""Advisory: one migrator at a time; the others wait and find nothing left to do."""

SCRIPTS = Path(__file__).parents[3] / "migrations"


async def migrate(dsn: str, *, ssl: SSLContext | None = None, revision: str = "head") -> None:
    """Upgrade to `revision`, all or nothing, and make the partitions of the coming months.

    Raises:
        StoreUnavailable: away, or somebody held a table for more than 5 s: run it again.
        Misconfigured: the DSN does not work, or the database belongs to a newer release.
    """
    from alembic import command

    async with _session(dsn, ssl) as database:
        await _run(database, lambda config: command.upgrade(config, revision))
        clock = await database.fetch("SELECT (now() AT TIME ZONE 'UTC')::date AS today")
        await ensure_partitions(database, clock[0]["today"])


async def downgrade(dsn: str, revision: str, *, ssl: SSLContext | None = None) -> None:
    """Go back to `revision` (`base`: nothing is left).  What the newer schema held is lost.

    Raises:
        StoreUnavailable, Misconfigured: as for `migrate`.
    """
    from alembic import command

    async with _session(dsn, ssl) as database:
        await _run(database, lambda config: command.downgrade(config, revision))


def alembic_engine(database: Database) -> AsyncEngine:
    """SQLAlchemy over connections like those of `database`: Alembic takes nothing else."""
    return create_async_engine(
        "postgresql+asyncpg://", async_creator=database.connect, poolclass=NullPool, hide_parameters=True
    )


def _session(dsn: str, ssl: SSLContext | None) -> Database:
    never = timedelta()
    return Database(
        dsn, ssl=ssl, pool_size=1, application_name="posthorn migrate", statement_max=never, idle_max=never
    )


async def _run(database: Database, step: Callable[["Config"], None]) -> None:
    from alembic.config import Config
    from alembic.util import CommandError

    def alembic(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
        try:
            step(config)
        except CommandError as error:
            raise Misconfigured(f"migrations: {error}") from error

    with translated(), _unwrapped():
        async with alembic_engine(database).connect() as connection:
            # Another migrator may take long; but whoever waits for a table makes its users wait behind.
            await connection.execute(text("SET lock_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            await connection.execute(text("SET lock_timeout = '5s'"))
            await connection.commit()
            await connection.run_sync(alembic)  # the lock ends with the session


@contextmanager
def _unwrapped() -> Iterator[None]:
    """Raise the driver's own error: SQLAlchemy wraps it in its own and in an imitation of a driver's."""
    try:
        yield
    except DBAPIError as error:
        if error.orig is None:
            raise
        raise (error.orig.__cause__ or error.orig) from None
