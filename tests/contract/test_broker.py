"""The broker's contract over the in-process one and RabbitMQ."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.memory.broker import MemoryBroker, MemoryEvents
from adapters.rabbitmq.channel_queues import RabbitChannelQueues
from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.delay_ladder import DelayLadderPublisher
from adapters.rabbitmq.delay_plugin import DELAYED_TYPE, DelayPluginPublisher
from adapters.rabbitmq.event_publisher import RabbitEventPublisher
from adapters.rabbitmq.publisher import RabbitPublisher
from adapters.rabbitmq.topology import SHOP_EVENTS, definitions
from adapters.system import SystemClock
from application.channel.ports import ChannelQueues
from tests.contract.broker import (
    Broker,
    ChannelQueuesContract,
    ConsumingContract,
    DelayingContract,
    EventsContract,
    PublishingContract,
)
from tests.support.broker import RabbitServer, VHost
from tests.support.fault_proxy import FaultProxy
from tests.support.topology import lay_out, links


@pytest.fixture
async def memory() -> AsyncIterator[Broker]:
    broker = MemoryBroker(definitions(["email"]), SystemClock())

    async def drop() -> None:
        broker.drop()

    yield Broker(
        publisher=broker, later=broker, consumer=broker, events=MemoryEvents(broker, SHOP_EVENTS), drop=drop
    )
    await broker.close()


@pytest.fixture
async def rabbitmq(vhost: VHost) -> AsyncIterator[Broker]:
    await lay_out(vhost, ["email"])
    async with connected(vhost, DelayLadderPublisher) as broker:
        yield broker


@pytest.fixture
async def rabbitmq_with_plugin(rabbitmq_server: RabbitServer, vhost: VHost) -> AsyncIterator[Broker]:
    if lacking := rabbitmq_server.lacks_exchange_type(DELAYED_TYPE):
        pytest.skip(lacking)
    await lay_out(vhost, ["email"], plugin=True)
    async with connected(vhost, DelayPluginPublisher) as broker:
        yield broker


@asynccontextmanager
async def connected(
    vhost: VHost, later: type[DelayLadderPublisher] | type[DelayPluginPublisher]
) -> AsyncIterator[Broker]:
    async with (
        FaultProxy(vhost.amqp_url) as proxy,
        links(vhost, consuming=proxy.url) as (publishing, consuming),
    ):

        async def drop() -> None:
            proxy.cut()

        yield Broker(
            publisher=RabbitPublisher(publishing),
            later=later(publishing),
            consumer=RabbitConsumer(consuming),
            events=RabbitEventPublisher(publishing, SHOP_EVENTS),
            drop=drop,
        )


class OverMemory:
    @pytest.fixture
    def broker(self, memory: Broker) -> Broker:
        return memory


class OverRabbitMQ:
    @pytest.fixture
    def broker(self, rabbitmq: Broker) -> Broker:
        return rabbitmq


class TestPublishingToMemory(OverMemory, PublishingContract):
    pass


class TestPublishingToRabbitMQ(OverRabbitMQ, PublishingContract):
    pass


class TestConsumingFromMemory(OverMemory, ConsumingContract):
    pass


class TestConsumingFromRabbitMQ(OverRabbitMQ, ConsumingContract):
    pass


class TestDelayingInMemory(OverMemory, DelayingContract):
    pass


class TestDelayingInRabbitMQ(OverRabbitMQ, DelayingContract):
    pass


class TestDelayingByThePlugin(DelayingContract):
    @pytest.fixture
    def broker(self, rabbitmq_with_plugin: Broker) -> Broker:
        return rabbitmq_with_plugin


class TestEventsToMemory(OverMemory, EventsContract):
    pass


class TestEventsToRabbitMQ(OverRabbitMQ, EventsContract):
    pass


class TestChannelsInMemory(OverMemory, ChannelQueuesContract):
    @pytest.fixture
    def queues(self, memory: Broker) -> ChannelQueues:
        assert isinstance(memory.publisher, MemoryBroker)
        return memory.publisher


class TestChannelsInRabbitMQ(OverRabbitMQ, ChannelQueuesContract):
    @pytest.fixture
    async def queues(self, vhost: VHost) -> AsyncIterator[ChannelQueues]:
        async with links(vhost) as (_, consuming):
            yield RabbitChannelQueues(consuming, settling=0.0)
