"""What RabbitMQ says of messages that come again, by version: what issuing anew and giving up rely on."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.publisher import RabbitPublisher
from domain.kernel.errors import BrokerUnavailable
from tests.contract.broker import LANE, numbered, outgoing, take
from tests.support.broker import RabbitServer, VHost
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.topology import lay_out, links

COUNT = "x-delivery-count"
DEAD = f"{LANE}.dlq"


@pytest.fixture
async def both(vhost: VHost) -> AsyncIterator[tuple[BrokerConnection, BrokerConnection]]:
    await lay_out(vhost, ["email"])
    async with links(vhost) as both:
        yield both


async def test_each_lost_connection_counts_once_for_all_that_was_ahead(vhost: VHost) -> None:
    await lay_out(vhost, ["email"])
    async with (
        FaultProxy(vhost.amqp_url) as proxy,
        links(vhost, consuming=proxy.url) as (publishing, consuming),
    ):
        await RabbitPublisher(publishing).publish(numbered(3))
        for count in range(3):
            await eventually(lambda: consuming.connected)
            subscription = await RabbitConsumer(consuming).subscribe(LANE, 3)
            counts = [message.headers.get(COUNT, 0) for message in await take(subscription, 3)]
            assert counts == [count] * 3
            proxy.cut()
            with pytest.raises(BrokerUnavailable):
                await subscription.take(1)


async def test_what_an_operator_moves_back_brings_the_count_of_where_it_was(
    rabbitmq_server: RabbitServer, vhost: VHost, both: tuple[BrokerConnection, BrokerConnection]
) -> None:
    await RabbitPublisher(both[0]).publish([outgoing(queue=DEAD)])
    looks = 3
    for _ in range(looks):
        await _headers(both[1], DEAD)

    await asyncio.to_thread(rabbitmq_server.move, vhost.name, DEAD, LANE)

    redelivered, headers = await _headers(both[1], LANE)
    assert (redelivered, headers[COUNT]) == (False, looks)
    redelivered, headers = await _headers(both[1], LANE)
    assert (redelivered, headers[COUNT]) == (True, 1)


async def _headers(link: BrokerConnection, queue: str) -> tuple[bool, Mapping[str, object]]:
    """Of the first message, which is given back."""
    subscription = await RabbitConsumer(link).subscribe(queue, 1)
    [message] = await take(subscription, 1)
    await subscription.close()
    return message.redelivered, message.headers
