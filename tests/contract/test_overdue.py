"""The contract of what is overdue over both adapters, and a lane that has more of it than is kept."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.outbox import overdue as postgres_overdue
from adapters.postgres.outbox.overdue import PostgresOverdue
from application.outbox.ports import Overdue, OverdueFound
from domain.kernel.channel import Lane, Priority
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.contract.overdue import OverdueContract
from tests.support.accepting import IDS
from tests.support.memory.overdue import MemoryOverdue
from tests.support.memory.rows import MemoryRows


class TestMemoryOverdue(OverdueContract):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)

    @pytest.fixture
    def overdue(self, rows: MemoryRows) -> Overdue:
        return MemoryOverdue(rows=rows, process=uuid4(), ids=IDS, late=SOON)


class TestPostgresOverdue(OverdueContract):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)

    @pytest.fixture
    def overdue(self, store: Database) -> Overdue:
        return PostgresOverdue(database=store, process=uuid4(), ids=IDS, late=SOON)


async def test_a_lane_with_more_than_is_kept_hides_no_other(store: Database) -> None:
    """Each is found once its turn has come, whichever lane is full."""
    engine = PostgresEngine(store)
    overdue = PostgresOverdue(database=store, process=uuid4(), ids=IDS, late=SOON, lane_max=20, page_max=50)
    full, other = Lane("email", Priority.LOW), Lane("email", Priority.HIGH)
    crowd = await engine.given(130, lane=full)
    few = await engine.given(3, lane=other)
    found = await _all(overdue)
    assert {late.pointer.delivery for late in found} >= {d.id for d in few.deliveries}
    assert await store.fetch("SELECT FROM overdue_walks WHERE channel = 'email'")
    seen = {late.pointer.delivery for late in found}
    for _ in range(20):
        await _finish(store, seen)
        seen |= {late.pointer.delivery for late in await _all(overdue)}
    assert seen == {d.id for d in (*crowd.deliveries, *few.deliveries)}
    await _finish(store, seen)
    await _all(overdue)
    assert not await store.fetch("SELECT FROM overdue_walks WHERE channel <> ''")
    assert not await store.fetch("SELECT FROM overdue_deliveries WHERE look_at <= now()")


async def test_one_looks_at_a_time(store: Database) -> None:
    await PostgresEngine(store).given(3)
    overdue = PostgresOverdue(database=store, process=uuid4(), ids=IDS, late=SOON)
    async with store.transaction() as busy:
        await busy.execute("SELECT pg_advisory_xact_lock($1)", postgres_overdue.LOCK)
        assert await overdue.find() == OverdueFound()
    assert len((await overdue.find()).late) == 3


async def _all(overdue: PostgresOverdue) -> list[object]:
    late, more = [], True
    while more:
        found = await overdue.find()
        late += found.late
        more = found.more
    return late


async def _finish(store: Database, ids: set[UUID]) -> None:
    await store.fetch("UPDATE notification_deliveries SET status = 'sent' WHERE id = ANY($1::uuid[])", ids)
    await store.fetch("UPDATE overdue_deliveries SET look_at = now()")


SOON = timedelta(milliseconds=-50)
"""What has just been accepted is late: no test waits half a minute."""
