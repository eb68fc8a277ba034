"""What is opened, in which order; it is closed in the opposite one."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from msgspec import structs

from adapters.embedded.folders import default_folder
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.core.database import Database
from adapters.postgres.core.migrate import migrate
from adapters.postgres.core.processes import Presence, hear
from adapters.postgres.dead_letter.dead_letters import open_count
from adapters.postgres.job.jobs import unfinished_count
from adapters.postgres.notification.retention import prune_keys
from adapters.rabbitmq import delay_plugin
from adapters.rabbitmq.connection import Link
from adapters.telemetry.logs import configure
from application.channel.ports import Channel
from config import secrets
from config.catalog import load_catalog
from config.connections import Delays
from config.container import Container
from config.keys import right_keys
from config.partitions import Partitions
from config.settings import Settings
from config.store_probe import StoreProbe
from domain.kernel.errors import BrokerUnavailable, Conflict, PosthornError, StoreUnavailable

DB_EXAMPLE = "postgresql://user:password@host:5432/posthorn"
_PING_MAX = 2.0


@dataclass(slots=True, kw_only=True)
class Parts:
    """What a running process stands on, and how it stands."""

    container: Container
    database: Database
    presence: Presence | None = None
    links: list[Link] = field(default_factory=list)
    store: StoreProbe = field(init=False)
    partitions: Partitions = field(init=False)

    def __post_init__(self) -> None:
        self.store = StoreProbe(database=self.database, clock=self.container.clock())
        self.partitions = Partitions(database=self.database, telemetry=self.container.telemetry())

    async def reach_store(self) -> None:
        """Return when the database answers.

        Raises:
            StoreUnavailable: it does not.
        """
        try:
            async with asyncio.timeout(_PING_MAX):
                await self.database.fetch("SELECT 1")
        except TimeoutError:
            raise StoreUnavailable("PostgreSQL: no answer") from None

    def broker(self) -> str:
        """`ok`, or what is wrong with the broker: it is away, or takes nothing from publishers."""
        for link in self.links:
            if link.trouble:
                return link.trouble
            if link.blocked:
                return f"blocks publishers: {link.blocked}"
        return "ok"

    def unpublished(self) -> float:
        """Seconds since this process could publish last; 0: it can, as far as the connection goes."""
        return self.links[0].away if self.links else 0.0

    def seen(self) -> bool:
        """Whether other processes see us alive, or are meant not to."""
        return self.presence is None or self.presence.held or self.presence.stands_down

    async def figures(self) -> None:
        """Read what waits, what died and what rests into the metrics.

        Raises:
            StoreUnavailable: next time.
        """
        backlog = await self.container.outbox().backlog()
        telemetry = self.container.telemetry()
        telemetry.backlog(backlog.pending, backlog.oldest_age)
        telemetry.dead_letters(await open_count(self.database))
        telemetry.held(await self.container.operating.unknown().held())
        telemetry.jobs(await unfinished_count(self.database))

    async def prune(self) -> None:
        """Delete old keys.

        Raises:
            StoreUnavailable: next time.
        """
        await prune_keys(self.database)

    async def forget_dead(self) -> None:
        """Forget processes long gone.

        Raises:
            StoreUnavailable: next time.
        """
        if self.presence is not None:
            await self.presence.forget_dead()


def start_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """From here on everything is logged as the settings say; to stderr unless a stream is given."""
    configure(settings.log.level, settings.log.format, stream)


def built(settings: Settings, folder: Path | None = None) -> Container:
    """The container of one process.

    Args:
        folder: embedded mode keeps its data there; None: db.url and amqp.url.
    """
    if folder is not None and settings.vault.secret is None and not settings.vault.keys:
        vault = structs.replace(settings.vault, secret=secrets.generated(folder / "secret"))
        settings = structs.replace(settings, vault=vault)
    container = Container(settings=settings)
    if folder is None:
        container.dsn.override(dsn(settings))
    else:
        container.embedded.override("yes")
    return container


def dsn(settings: Settings) -> str:
    """Where the database is.

    Raises:
        Misconfigured: db.url is not set.
    """
    return secrets.required("db.url", settings.db.url, DB_EXAMPLE).reveal()


def data_folder(name: str) -> Path:
    """Where embedded mode keeps its data when nobody says."""
    return default_folder(name)


async def prepare_database(settings: Settings) -> None:
    """Tables and partitions; see `posthorn migrate`.

    Raises:
        StoreUnavailable, Misconfigured.
    """
    await migrate(dsn(settings), ssl=secrets.tls("db.tls", settings.db.tls))


@asynccontextmanager
async def opened_database(container: Container, folder: Path | None = None) -> AsyncIterator[Database]:
    """The database alone, for commands that end; embedded, it may be running in another process."""
    async with AsyncExitStack() as stack:
        if folder is not None:
            postgres = EmbeddedPostgres(folder)
            if (running := postgres.running()) is not None:
                container.dsn.override(running)
            else:
                await _embedded(container, postgres, stack)
        stack.push_async_callback(container.rendering_pool().close)
        database = await stack.enter_async_context(container.database())
        with suppress(PosthornError):  # whoever needs it is told then
            await hear(database, container.clock())
            await container.keys.check()()
        yield database


@asynccontextmanager
async def opened_consuming(container: Container) -> AsyncIterator[None]:
    """A connection to consume, for commands that end.

    Raises:
        BrokerUnavailable: none.
    """
    link = container.consuming()
    await link.open()
    try:
        if link.trouble is not None:
            raise BrokerUnavailable(link.trouble)
        yield
    finally:
        await link.close()


@asynccontextmanager
async def opened(container: Container, role: str, *, folder: Path | None = None) -> AsyncIterator[Parts]:
    """Open what the role needs; connections come as soon as the servers are there.

    Raises:
        Misconfigured: something can never work as it is configured.
    """
    async with AsyncExitStack() as stack:
        if folder is not None:
            await _embedded(container, EmbeddedPostgres(folder), stack)
        database = await stack.enter_async_context(container.database())
        parts = Parts(container=container, database=database)
        stack.push_async_callback(container.providers_built().aclose)
        stack.push_async_callback(container.rendering_pool().close)
        parts.presence = await stack.enter_async_context(
            Presence(
                database,
                container.process(),
                role=role,
                host=socket.gethostname(),
                pid=os.getpid(),
                clock=container.clock(),
                tasks=container.tasks(),
            )
        )
        await right_keys(container.keys.check())
        if folder is not None:
            stack.push_async_callback(container.memory_broker().close)
            await container.recovery().reissue()  # the broker in process begins empty
        else:
            for link in (container.publishing(), container.consuming()):
                stack.push_async_callback(link.close)
                parts.links.append(link)
            await asyncio.gather(*(link.open() for link in parts.links))
            if container.settings().amqp.delays is Delays.PLUGIN:
                await delay_plugin.require(container.publishing())
        yield parts


async def _embedded(container: Container, postgres: EmbeddedPostgres, stack: AsyncExitStack) -> None:
    container.dsn.override(where := await postgres.start())
    stack.push_async_callback(postgres.stop)
    await migrate(where)


async def install_catalog(container: Container) -> list[str]:
    """Save the shipped templates and triggers that are not there yet; returns their ids.

    Configured channels get a row, too: without one there is nothing to give a provider to.
    """
    for channel in container.settings().accepting.channels:
        with suppress(Conflict):
            await container.channels().put(Channel(channel=channel), expected=0)
    catalog = load_catalog()
    installed = await container.install_catalog()(catalog.templates, catalog.triggers)
    return [*installed.templates, *installed.triggers]
