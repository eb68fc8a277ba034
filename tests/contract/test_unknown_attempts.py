"""The contracts of calls without an answer over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.open_calls import OpenCallsContract
from tests.contract.unknown_attempts import UnknownContract
from tests.support.memory.rows import MemoryRows


class TestMemoryUnknownAttempts(UnknownContract, OpenCallsContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresUnknownAttempts(UnknownContract, OpenCallsContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)
