"""The contract of compacting in memory, and over PostgreSQL with RabbitMQ."""

from collections.abc import AsyncIterator

import pytest

from adapters.memory.broker import MemoryBroker
from adapters.postgres.core.database import Database
from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.publisher import RabbitPublisher
from adapters.rabbitmq.queue_sizes import RabbitQueueSizes
from adapters.rabbitmq.topology import definitions
from adapters.system import SystemClock
from tests.contract.compacting import CompactContract, Yard
from tests.contract.engine import MemoryEngine, PostgresEngine
from tests.support.broker import VHost
from tests.support.memory.rows import MemoryRows
from tests.support.topology import lay_out, links


class TestCompactingInMemory(CompactContract):
    @pytest.fixture
    async def yard(self, rows: MemoryRows) -> AsyncIterator[Yard]:
        broker = MemoryBroker(definitions(["email"]), SystemClock())
        yield Yard(engine=MemoryEngine(rows), publisher=broker, consumer=broker, sizes=broker)
        await broker.close()


class TestCompactingOnServers(CompactContract):
    @pytest.fixture
    async def yard(self, store: Database, vhost: VHost) -> AsyncIterator[Yard]:
        await lay_out(vhost, ["email"])
        async with links(vhost) as (publishing, consuming):
            yield Yard(
                engine=PostgresEngine(store),
                publisher=RabbitPublisher(publishing),
                consumer=RabbitConsumer(consuming),
                sizes=RabbitQueueSizes(consuming),
            )
