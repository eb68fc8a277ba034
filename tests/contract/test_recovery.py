"""The contract of recovery over both adapters."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from adapters.memory.rows import MemoryRows
from adapters.postgres.database import Database
from adapters.postgres.recovery import PostgresRecovery
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.recovery import RecoveryContract
from tests.support.accepting import IDS


class TestMemoryRecovery(RecoveryContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresRecovery(RecoveryContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)


@dataclass(frozen=True, kw_only=True)
class _SmallBatches(PostgresRecovery):
    async def reissue(self, batch: int = 200) -> int:
        return await super().reissue(batch)

    async def reissue_dead(self, batch: int = 2) -> int:
        return await super().reissue_dead(batch)


class TestPostgresRecoveryInSmallBatches(RecoveryContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        class Small(PostgresEngine):
            def recovery(self, process: UUID) -> PostgresRecovery:
                return _SmallBatches(database=self.database, process=process, ids=IDS)

        return Small(store)
