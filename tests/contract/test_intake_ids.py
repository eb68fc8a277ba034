"""`IntakeIdsContract` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.intake.intake_ids import PostgresIntakeIds
from adapters.postgres.notification.reader import PostgresReader
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.intake_ids import IntakeIdsContract
from tests.support.memory.intake_ids import MemoryIntakeIds
from tests.support.memory.reader import MemoryReader
from tests.support.memory.rows import MemoryRows


class TestMemoryIntakeIds(IntakeIdsContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)

    @pytest.fixture
    def reader(self, rows: MemoryRows) -> MemoryReader:
        return MemoryReader(rows=rows)

    @pytest.fixture
    def intake_ids(self, rows: MemoryRows) -> MemoryIntakeIds:
        return MemoryIntakeIds(rows=rows)


class TestPostgresIntakeIds(IntakeIdsContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)

    @pytest.fixture
    def reader(self, store: Database) -> PostgresReader:
        return PostgresReader(database=store)

    @pytest.fixture
    def intake_ids(self, store: Database) -> PostgresIntakeIds:
        return PostgresIntakeIds(database=store)
