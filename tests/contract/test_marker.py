"""The contracts of `application.recovery.ports` over every adapter."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.recovery.marker import PostgresMarker
from adapters.rabbitmq.marker import RabbitMarker
from tests.contract.marker import BrokerMarkerContract, KnownMarkerContract
from tests.support.broker import VHost
from tests.support.memory.marker import MemoryKnownMarker, MemoryMarker
from tests.support.memory.rows import MemoryRows
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
