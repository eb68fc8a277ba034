"""The broker's topology on a virtual host of the tests, and links to it.

await lay_out(vhost, channels=("email",))          # less than a second
async with links(vhost) as (publishing, consuming): ...
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.endpoint import Endpoint
from adapters.rabbitmq.management_api import ManagementApi
from adapters.rabbitmq.topology import definitions
from domain.kernel.channel import CHANNELS
from domain.kernel.secret import Secret
from tests.support.broker import VHost


async def lay_out(vhost: VHost, channels: Sequence[str] = CHANNELS, *, plugin: bool = False) -> None:
    """Make the queues, exchanges and policies for these channels; with the delaying plugin's exchange."""
    async with ManagementApi(Secret(vhost.management_url), vhost=vhost.name) as management:
        left = await management.apply(definitions(channels, plugin=plugin), settling=0)
    assert not left, "\n".join(map(str, left))


@asynccontextmanager
async def links(
    vhost: VHost, *, consuming: str | None = None
) -> AsyncIterator[tuple[BrokerConnection, BrokerConnection]]:
    """Two open links: to publish, to consume, by a URL of its own if need be."""
    there = [Endpoint.parse(Secret(url)) for url in (vhost.amqp_url, consuming or vhost.amqp_url)]
    both = (
        BrokerConnection(there[:1], name="test publishing"),
        BrokerConnection(there[1:], name="test consuming"),
    )
    await asyncio.gather(*(link.open() for link in both))
    try:
        yield both
    finally:
        await asyncio.gather(*(link.close() for link in both))
