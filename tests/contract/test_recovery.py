"""The contract of recovery over both adapters."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.recovery.marker import PostgresMarker
from adapters.postgres.recovery.reissue import PostgresRecovery
from application.outbox.pointers import Pointer, decode
from domain.kernel.channel import Lane, Priority
from domain.kernel.errors import Conflict, StoreUnavailable
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.recovery import RecoveryContract
from tests.support.accepting import IDS
from tests.support.eventually import eventually, steadily
from tests.support.memory.rows import MemoryRows


class TestMemoryRecovery(RecoveryContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresRecovery(RecoveryContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)


class TestPostgresRecoveryInSmallBatches(RecoveryContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        class Small(PostgresEngine):
            def recovery(self, process: UUID) -> PostgresRecovery:
                return PostgresRecovery(database=self.database, process=process, ids=IDS, batch=200)

        return Small(store)


class FailsAt:
    """Ids that raise after some: a process dies within a page."""

    def __init__(self, count: int) -> None:
        self.left = count

    def next(self) -> UUID:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("died")
        return IDS.next()


async def _issued(store: Database) -> list[Pointer]:
    rows = await store.fetch("SELECT body FROM outbox WHERE queue NOT LIKE '%.dlq'")
    return [pointer for row in rows for pointer in decode(row["body"])]


@pytest.mark.parametrize("recent", [timedelta(days=1), -timedelta(days=1)])
async def test_who_goes_on_issues_what_is_left(store: Database, recent: timedelta) -> None:
    """Whether they are young or older than a day: each exactly once."""
    engine, marker, known = PostgresEngine(store), uuid4(), PostgresMarker(database=store)
    for priority in (Priority.LOW, Priority.CRITICAL):
        await engine.given(100, lane=Lane("email", priority))
    await known.register(marker)
    for pages in (3, 2):
        dying = PostgresRecovery(database=store, process=uuid4(), ids=FailsAt(pages), batch=20, recent=recent)
        with pytest.raises(StoreUnavailable):
            await dying.reissue(marker)
    heir = PostgresRecovery(database=store, process=uuid4(), ids=IDS, batch=20, recent=recent)
    assert await heir.reissue(marker) == 100
    assert await heir.reissue_dead(marker) == 0

    issued = await _issued(store)
    assert len(issued) == len(set(issued)) == 200
    assert {pointer.seq for pointer in issued} == {2}
    assert await heir.reissue(marker) == 0
    assert await heir.reissue() == 200, "control: without a marker it begins anew"


async def test_who_was_taken_for_dead_issues_nothing_more(store: Database) -> None:
    engine, marker, known = PostgresEngine(store), uuid4(), PostgresMarker(database=store)
    await engine.given(60)
    await known.register(marker)
    sleeper = PostgresRecovery(database=store, process=uuid4(), ids=IDS, batch=20)
    way = await sleeper._way(marker, None)
    heir = PostgresRecovery(database=store, process=uuid4(), ids=IDS, batch=20)
    assert await heir.reissue(marker) == 60
    with pytest.raises(Conflict):
        await _wakes(sleeper, way)
    assert len(await _issued(store)) == 60
    await known.set_current(marker, [])
    await known.register(other := uuid4())
    await known.set_current(other, [marker])
    with pytest.raises(Conflict):
        await sleeper.reissue(marker)


async def _wakes(sleeper: PostgresRecovery, way: Any) -> None:
    while True:
        await sleeper._turn(way, sleeper._page)


async def test_who_freezes_is_alone_no_more(store: Database) -> None:
    """Control: with a heartbeat the lock is kept."""
    silence = timedelta(milliseconds=500)
    known = PostgresMarker(database=store, silence_max=silence)
    async with known.alone() as mine:
        assert mine
        await steadily(lambda: _taken(known), seconds=1.0)
        for task in asyncio.all_tasks():
            if task.get_name() == "marker heartbeat":
                task.cancel()
        await eventually(lambda: _free(known))


async def _free(known: PostgresMarker) -> bool:
    async with known.alone() as mine:
        return mine


async def _taken(known: PostgresMarker) -> bool:
    return not await _free(known)
