"""`AcceptanceContract` over both adapters, and what only PostgreSQL can get wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.notification.acceptance import PostgresAcceptance
from domain.kernel.errors import InFlight, StoreUnavailable
from tests.contract.acceptance import AcceptanceContract
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.support.accepting import notification, user
from tests.support.memory.rows import MemoryRows

Work = Callable[[Any], Awaitable[Any]]
KEY = "INSERT INTO idempotency_keys (key, fingerprint, notification_id) VALUES ($1, '', $1)"


class ImpatientEngine(PostgresEngine):
    """Accepting waits 0.2 s for a lock."""

    def acceptance(self) -> PostgresAcceptance:
        return PostgresAcceptance(
            database=self.database, process=self.me, lock_max=timedelta(milliseconds=200)
        )


class TestMemoryAcceptance(AcceptanceContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresAcceptance(AcceptanceContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)

    @pytest.fixture
    def impatient(self, store: Database) -> Engine:
        return ImpatientEngine(store)

    async def test_a_key_that_somebody_holds_too_long_is_in_flight(
        self, impatient: Engine, store: Database
    ) -> None:
        engine = impatient
        ada, held, done = user(), [uuid4(), uuid4()], uuid4()
        await self.accept(engine, [notification(ada, key=done)], ada)
        batch = [notification(ada, key=key) for key in (*held, done, *(uuid4() for _ in range(20)), None)]
        async with store.transaction() as holder:
            for key in held:
                await holder.execute(KEY, key)

            with pytest.raises(InFlight) as busy:
                await self.accept(engine, batch, ada)

        assert busy.value.keys == set(held), "these, and no other"
        assert [new.id for new in batch if await engine.stand(new.id)] == []
        assert len(await store.fetch("SELECT FROM idempotency_keys")) == 3

    @pytest.mark.parametrize("table", ["users", "idempotency_keys", "notifications", "outbox"])
    async def test_a_table_that_is_locked_is_no_conflict(
        self, impatient: Engine, store: Database, table: str
    ) -> None:
        ada = user()
        async with store.transaction() as holder:
            await holder.execute(f"LOCK TABLE {table}")
            with pytest.raises(StoreUnavailable, match="lock"):
                await self.accept(impatient, [notification(ada, key=uuid4())], ada)

    async def test_nor_is_a_user_whom_somebody_else_writes(self, impatient: Engine, store: Database) -> None:
        ada, bob = (user(guest=True, profile=b"one") for _ in range(2))
        await self.accept(impatient, [], ada)
        async with store.transaction() as holder:
            await holder.execute("UPDATE users SET version = version WHERE id = $1", ada.id)
            await holder.execute("INSERT INTO users (id, guest) VALUES ($1, true)", bob.id)
            for each in (ada, bob):
                with pytest.raises(StoreUnavailable, match="lock"):
                    await self.accept(impatient, [notification(each, key=uuid4())], each)

    async def test_the_same_keys_in_opposite_order_do_not_deadlock(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.postgres.core.database.TRIES", 1)  # a deadlock is not tried again
        await super().test_the_same_keys_in_opposite_order_do_not_deadlock(engine)

    async def test_keys_taken_in_no_order_do_deadlock(self, store: Database) -> None:
        """The control of `test_the_same_keys_in_opposite_order_do_not_deadlock`."""
        keys = [uuid4(), uuid4()]
        taken = asyncio.Barrier(2)

        async def take(order: list[object]) -> None:
            took = store._acquire(store._pool)
            async with asyncio.timeout(10), took as connection, connection.transaction():
                await connection.execute(KEY, order[0])
                await taken.wait()
                await connection.execute(KEY, order[1])

        ended = await asyncio.gather(take(keys), take(keys[::-1]), return_exceptions=True)

        assert any(isinstance(end, asyncpg.DeadlockDetectedError) for end in ended)
