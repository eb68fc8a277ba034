"""The contracts of `application.ports.incarnation` over every adapter."""

from collections.abc import AsyncIterator

import pytest

from adapters.memory.incarnation import MemoryKnownMarker, MemoryMarker
from adapters.memory.rows import MemoryRows
from adapters.postgres.database import Database
from adapters.postgres.marker import PostgresMarker
from adapters.rabbitmq.marker import RabbitMarker
from tests.contract.incarnation import BrokerMarkerContract, KnownMarkerContract
from tests.support.broker import VHost
from tests.support.topology import links


class TestMemoryMarker(BrokerMarkerContract):
    @pytest.fixture
    def marker(self) -> MemoryMarker:
        return MemoryMarker()


class TestRabbitMarker(BrokerMarkerContract):
    @pytest.fixture
    async def marker(self, vhost: VHost) -> AsyncIterator[RabbitMarker]:
        async with links(vhost) as (publishing, consuming):
            yield RabbitMarker(consuming, publishing)


class TestMemoryKnownMarker(KnownMarkerContract):
    @pytest.fixture
    def known(self, rows: MemoryRows) -> MemoryKnownMarker:
        return MemoryKnownMarker(rows=rows)


class TestPostgresMarker(KnownMarkerContract):
    @pytest.fixture
    def known(self, store: Database) -> PostgresMarker:
        return PostgresMarker(database=store)
