"""`CancellingContract` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from tests.contract.cancelling import CancellingContract
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.support.memory.rows import MemoryRows


class TestMemoryCancelling(CancellingContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresCancelling(CancellingContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)
