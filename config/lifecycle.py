"""Opening the parts of a process in their order, and closing them in the opposite one."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TextIO

from msgspec import structs

from adapters.embedded.folders import default_folder
from adapters.postgres.core.database import Database
from adapters.postgres.core.migrate import migrate
from adapters.postgres.core.processes import Presence, hear
from adapters.rabbitmq import delay_plugin
from adapters.telemetry.logs import configure
from application.channel.ports import Channel
from config import secrets
from config.catalog import load_catalog
from config.connections import Delays
from config.container import Container
from config.parts import Parts
from config.settings import Settings
from domain.kernel.errors import BrokerUnavailable, Conflict, Misconfigured, PosthornError, StoreUnavailable


def start_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Configure logging as the settings say; lines go to stderr unless a stream is given."""
    configure(settings.log.level, settings.log.format, stream)


def built(settings: Settings, folder: Path | None = None) -> Container:
    """The container of one process.

    Args:
        folder: embedded mode keeps its data there; None: db.url and amqp.url.
    """
    if folder is not None and settings.vault.secret is None and not settings.vault.keys:
        vault = structs.replace(settings.vault, secret=secrets.generated(folder / "secret"))
        settings = structs.replace(settings, vault=vault)
    return Container(settings=settings, folder=folder)


def data_folder(name: str) -> Path:
    """Where embedded mode keeps its data without `--data`."""
    return default_folder(name)


async def prepare_database(settings: Settings) -> None:
    """Migrate the tables and make partitions; see `posthorn migrate`.

    Raises:
        StoreUnavailable, Misconfigured.
    """
    await migrate(secrets.dsn(settings), ssl=secrets.tls("db.tls", settings.db.tls))


@asynccontextmanager
async def opened_database(container: Container) -> AsyncIterator[Database]:
    """Open the database alone, for commands that end.

    An embedded server that another process has running is used; else it is started, and stopped at the end.
    """
    async with AsyncExitStack() as stack:
        if container.folder() is not None and container.kernel.embedded_postgres().running() is None:
            await _start_embedded(container, stack)
        stack.push_async_callback(container.template.rendering_pool().close)
        database = await stack.enter_async_context(container.kernel.database())
        with suppress(PosthornError):  # whoever needs it is told then
            await hear(database, container.kernel.clock())
            await container.privacy.check()()
            await _take_up(container)
        yield database


@asynccontextmanager
async def on_database(settings: Settings, folder: Path | None = None) -> AsyncIterator[Container]:
    """Make the container of a command that ends, and open its database."""
    container = built(settings, folder)
    async with opened_database(container):
        yield container


@asynccontextmanager
async def without_servers(settings: Settings) -> AsyncIterator[Container]:
    """Make the container of a command that ends and needs no server."""
    container = built(settings)
    try:
        yield container
    finally:
        await container.template.rendering_pool().close()


@asynccontextmanager
async def opened_consuming(container: Container) -> AsyncIterator[None]:
    """Open the consuming connection, for commands that end.

    Raises:
        BrokerUnavailable: there is no connection.
    """
    connection = container.broker.consuming()
    await connection.open()
    try:
        if connection.trouble is not None:
            raise BrokerUnavailable(connection.trouble)
        yield
    finally:
        await connection.close()


@asynccontextmanager
async def opened(container: Container, role: str) -> AsyncIterator[Parts]:
    """Open what the role needs; connections come as soon as the servers are there.

    Raises:
        Misconfigured: something can never work as it is configured.
    """
    embedded, kernel = container.folder() is not None, container.kernel
    async with AsyncExitStack() as stack:
        if embedded:
            await _start_embedded(container, stack)
        database = await stack.enter_async_context(kernel.database())
        parts = Parts(container=container, database=database)
        stack.push_async_callback(container.provider.built().aclose)
        stack.push_async_callback(container.template.rendering_pool().close)
        parts.presence = await stack.enter_async_context(
            Presence(
                database,
                kernel.process(),
                role=role,
                host=socket.gethostname(),
                pid=os.getpid(),
                clock=kernel.clock(),
                tasks=kernel.tasks(),
            )
        )
        await _require_right_keys(container)
        with suppress(StoreUnavailable):  # it is looked again and again
            await _take_up(container)
        if embedded:
            stack.push_async_callback(container.broker.in_process().close)
            for channel in await container.channel.open_channels().made():
                await container.broker.channel_queues().make(channel)
            await container.recovery.recovery().reissue()  # the broker in process begins empty
        else:
            for connection in (container.broker.publishing(), container.broker.consuming()):
                stack.push_async_callback(connection.close)
                parts.connections.append(connection)
            await asyncio.gather(*(connection.open() for connection in parts.connections))
            if container.settings().amqp.delays is Delays.PLUGIN:
                await delay_plugin.require(container.broker.publishing())
        yield parts


async def _start_embedded(container: Container, stack: AsyncExitStack) -> None:
    postgres = container.kernel.embedded_postgres()
    where = await postgres.start()
    stack.push_async_callback(postgres.stop)
    await migrate(where)


async def _take_up(container: Container) -> None:
    """See which channels and providers the API has made.

    Raises:
        StoreUnavailable: the database is away.
    """
    await container.channel.open_channels().look()
    await container.provider.follow()()


async def _require_right_keys(container: Container) -> None:
    """A process with other keys than the data was sealed under must not begin.

    While the database is away nobody knows: the vault stays closed, and the keys are checked again and again.

    Raises:
        Misconfigured: they are not those of the data.
    """
    with suppress(StoreUnavailable):
        if (wrong := (await container.privacy.check()()).wrong) is not None:
            raise Misconfigured(wrong)


async def install_catalog(container: Container) -> list[str]:
    """Save the shipped templates and triggers that are not there yet; returns their ids.

    Configured channels get a row, too: without one there is nothing to give a provider to.
    """
    for channel in container.settings().accepting.channels:
        with suppress(Conflict):
            await container.channel.channels().put(Channel(channel=channel), expected=0)
    catalog = load_catalog()
    installed = await container.event.install_catalog()(catalog.templates, catalog.triggers)
    return [*installed.templates, *installed.triggers]


async def made_channels(settings: Settings) -> frozenset[str]:
    """The channels that the API has made; none where no database is configured.

    Raises:
        StoreUnavailable, Misconfigured: the database is away, or not migrated.
    """
    if settings.db.url is None:
        return frozenset()
    async with on_database(settings) as container:
        await container.channel.open_channels().look()
        return await container.channel.open_channels().made()
