"""The contracts of jobs and alerts over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from tests.contract.alerts import AlertsContract
from tests.contract.dropping import DropContract
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.jobs import JobsContract
from tests.support.memory.rows import MemoryRows


class _Operations(JobsContract, AlertsContract, DropContract): ...


class TestMemoryOperations(_Operations):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresOperations(_Operations):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)
