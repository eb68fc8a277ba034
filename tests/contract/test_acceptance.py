"""`AcceptanceContract` over both adapters, and what only PostgreSQL can get wrong."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from adapters.memory.rows import MemoryRows
from adapters.postgres.acceptance import PostgresAcceptance
from adapters.postgres.database import Database
from domain.kernel.errors import InFlight
from tests.contract.acceptance import AcceptanceContract
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.support.accepting import notification, pack, person

KEY = "INSERT INTO idempotency_keys (key, fingerprint, notification_id) VALUES ($1, '', $1)"


class TestMemoryAcceptance(AcceptanceContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresAcceptance(AcceptanceContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)

    async def test_a_key_that_somebody_holds_too_long_is_in_flight(self, database: str) -> None:
        ada, key = person(), uuid4()
        async with (
            Database(database, lock_max=timedelta(milliseconds=200)) as impatient,
            impatient.transaction() as holder,
        ):
            acceptance = PostgresAcceptance(database=impatient, process=uuid4())
            await holder.execute(KEY, key)

            with pytest.raises(InFlight):
                await acceptance.accept([notification(ada, key=key)], [ada], pack)

            assert await acceptance.keys([ada.id]) == {}

    async def test_the_same_keys_in_opposite_order_do_not_deadlock(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.postgres.database.TRIES", 1)  # a deadlock is not tried again
        await super().test_the_same_keys_in_opposite_order_do_not_deadlock(engine)

    async def test_keys_taken_in_no_order_do_deadlock(self, store: Database) -> None:
        """The control of `test_the_same_keys_in_opposite_order_do_not_deadlock`."""
        keys = [uuid4(), uuid4()]
        taken = asyncio.Barrier(2)

        async def take(order: list[object]) -> None:
            async with asyncio.timeout(10), store._acquire() as connection, connection.transaction():
                await connection.execute(KEY, order[0])
                await taken.wait()
                await connection.execute(KEY, order[1])

        ended = await asyncio.gather(take(keys), take(keys[::-1]), return_exceptions=True)

        assert any(isinstance(end, asyncpg.DeadlockDetectedError) for end in ended)
