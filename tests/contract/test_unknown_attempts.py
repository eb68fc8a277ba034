"""The contract of unknown attempts over both adapters."""

import pytest

from adapters.memory.rows import MemoryRows
from adapters.postgres.database import Database
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.unknown_attempts import UnknownContract


class TestMemoryUnknownAttempts(UnknownContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresUnknownAttempts(UnknownContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)
