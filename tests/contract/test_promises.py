"""`PromisesContract` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.intake.promises import PostgresPromises
from adapters.postgres.notification.reader import PostgresReader
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.promises import PromisesContract
from tests.support.memory.promises import MemoryPromises
from tests.support.memory.reader import MemoryReader
from tests.support.memory.rows import MemoryRows


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
