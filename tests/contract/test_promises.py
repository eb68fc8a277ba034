"""`PromisesContract` over both adapters."""

import pytest

from adapters.memory.promises import MemoryPromises
from adapters.memory.reader import MemoryReader
from adapters.memory.rows import MemoryRows
from adapters.postgres.database import Database
from adapters.postgres.promises import PostgresPromises
from adapters.postgres.reader import PostgresReader
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.promises import PromisesContract


class TestMemoryPromises(PromisesContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)

    @pytest.fixture
    def reader(self, rows: MemoryRows) -> MemoryReader:
        return MemoryReader(rows=rows)

    @pytest.fixture
    def promises(self, rows: MemoryRows) -> MemoryPromises:
        return MemoryPromises(rows=rows)


class TestPostgresPromises(PromisesContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)

    @pytest.fixture
    def reader(self, store: Database) -> PostgresReader:
        return PostgresReader(database=store)

    @pytest.fixture
    def promises(self, store: Database) -> PostgresPromises:
        return PostgresPromises(database=store)
