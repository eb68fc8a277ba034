"""`OutboxContract` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.outbox import OutboxContract
from tests.support.memory.rows import MemoryRows


class TestMemoryOutbox(OutboxContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresOutbox(OutboxContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)
