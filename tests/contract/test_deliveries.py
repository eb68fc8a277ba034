"""The contracts of `Deliveries` over both adapters."""

import asyncio

import pytest

from adapters.postgres.core.database import Database
from tests.contract.apart import ApartContract
from tests.contract.clearing import ClearContract
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.in_turn import InTurnContract
from tests.contract.leasing import BeginContract, LeaseContract, PostponeContract, begin, lease
from tests.contract.renewing import RenewContract
from tests.contract.settling import CALLED, S, SettleContract, WalkContract, assert_legal, settle
from tests.support.accepting import pointers
from tests.support.eventually import eventually
from tests.support.memory.rows import MemoryRows


class _Deliveries(
    LeaseContract,
    BeginContract,
    RenewContract,
    ClearContract,
    PostponeContract,
    SettleContract,
    WalkContract,
    ApartContract,
    InTurnContract,
): ...


class TestMemoryDeliveries(_Deliveries):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresDeliveries(_Deliveries):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)

    async def test_of_workers_that_race_one_takes_it(
        self, engine: Engine, store: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.postgres.core.database.TRIES", 1)  # a deadlock is not tried again
        await asyncio.gather(*(store.fetch("SELECT pg_sleep(0.1)") for _ in range(6)))  # all are connected
        for _ in range(8):
            await super().test_of_workers_that_race_one_takes_it(engine)

    async def test_workers_and_a_cancel_at_once_count_everything_once(
        self, engine: Engine, store: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.postgres.core.database.TRIES", 1)  # nor do these wait for each other
        await asyncio.gather(*(store.fetch("SELECT pg_sleep(0.1)") for _ in range(6)))
        for _ in range(5):
            await super().test_workers_and_a_cancel_at_once_count_everything_once(engine)

    async def test_a_retry_does_not_wait_for_its_campaigns_row(self, engine: Engine, store: Database) -> None:
        """No counter moves, so nothing is locked that others need; a sent one does wait (the control)."""
        new = await engine.given(2)
        retried, sent = (await lease(engine, *pointers(new))).taken
        await begin(engine, retried, sent)
        async with store.transaction() as holder:
            await holder.execute("SELECT FROM notifications WHERE id = $1 FOR UPDATE", new.id)

            await asyncio.wait_for(settle(engine, retried, S.QUEUED, outcome="deferred"), 5)
            waiting = asyncio.create_task(settle(engine, sent, S.SENT, outcome="accepted"))
            await eventually(lambda: self._waits(store))
            assert not waiting.done()

        assert (await waiting).overtaken == []
        await engine.assert_counted(new.id)

    async def _waits(self, store: Database) -> bool:
        rows = await store.fetch("SELECT FROM pg_locks WHERE NOT granted")
        return bool(rows)


def test_the_walk_would_notice() -> None:
    with pytest.raises(AssertionError, match="queued to sent"):
        assert_legal([("queued", None), ("sent", None)], S.SENT)
    with pytest.raises(AssertionError):
        assert_legal(CALLED, S.SENT)


async def test_a_row_that_nobody_can_read_does_not_take_its_neighbours_along(store: Database) -> None:
    engine = PostgresEngine(store)
    bad, good = await engine.given(), await engine.given(3)
    await store.fetch("UPDATE notifications SET class = 'nonsense' WHERE id = $1", bad.id)

    leases = await lease(engine, *pointers(bad, good))

    assert {taken.notification for taken in leases.taken} == {good.id}
    [unreadable] = leases.unreadable
    assert (unreadable.delivery, unreadable.attempt) == (bad.deliveries[0].id, 1)
    assert "nonsense" in unreadable.reason
