"""Whether everything is issued again: when it must be, once, and again after whoever did it died."""

import asyncio
from uuid import UUID

import pytest

from adapters.system import SystemClock, SystemIds
from application.recovery.recover import (
    FirstMarker,
    Intact,
    RecoverBroker,
    RecoveringElsewhere,
    Reissued,
    TopologyMissing,
)
from domain.kernel.errors import BrokerUnavailable, Conflict, StoreUnavailable
from tests.support.eventually import eventually
from tests.support.memory.marker import MemoryKnownMarker, MemoryMarker
from tests.support.memory.rows import MemoryRows

IDS = SystemIds()


class World:
    """One database, one broker, any number of processes; `dies_at` is the step at which they fail."""

    def __init__(self) -> None:
        self.rows = MemoryRows(SystemClock())
        self.broker = MemoryMarker()
        self.steps: list[str] = []
        self.dies_at: str | None = None
        self.lacking: str | None = None
        self.unfinished, self.dead = 0, 0
        self.hold: asyncio.Event | None = None

    def process(self) -> RecoverBroker:
        return RecoverBroker(known=_Known(self), broker=_Broker(self), topology=self, recovery=self, ids=IDS)

    async def step(self, name: str) -> None:
        if self.hold is not None:
            await self.hold.wait()
        if self.dies_at == name:
            raise StoreUnavailable(f"died at {name}")
        self.steps.append(name)

    async def lay_out(self) -> str | None:
        await self.step("lay out")
        return self.lacking

    def check(self, mark: object) -> None:
        if mark not in self.rows.markers:
            raise Conflict("forgotten")

    async def reissue(self, mark: object) -> int:
        self.check(mark)
        await self.step("reissue")
        return self.unfinished

    async def reissue_dead(self, mark: object) -> int:
        await self.step("reissue dead")
        return self.dead

    def lose_data(self) -> None:
        self.broker.standing.clear()
        self.steps.clear()


class _Known:
    """Fails at `replace` when told."""

    def __init__(self, world: World) -> None:
        self.world, self.inner = world, MemoryKnownMarker(rows=world.rows)
        self.markers, self.alone = self.inner.markers, self.inner.alone

    async def register(self, marker):
        await self.world.step("register")
        await self.inner.register(marker)

    async def set_current(self, marker, gone):
        await self.world.step("set_current")
        await self.inner.set_current(marker, gone)


class _Broker:
    """Fails at `place` when told."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def exists(self, marker):
        return await self.world.broker.exists(marker)

    async def place(self, marker):
        await self.world.step("place")
        await self.world.broker.place(marker)

    async def remove(self, marker):
        await self.world.step("remove")
        await self.world.broker.remove(marker)


@pytest.fixture
async def world() -> World:
    """Marked once, when there was nothing yet, as any system that has run."""
    world = World()
    assert await world.process()() == FirstMarker()
    world.steps.clear()
    world.unfinished, world.dead = 7, 2
    return world


REISSUED = Reissued(pointers=7, dead_letters=2)


async def test_what_was_there_before_the_first_mark_is_issued_with_it() -> None:
    """The broker may have lost it by then, and nobody could have seen that."""
    world = World()
    world.unfinished, world.dead = 7, 2
    assert await world.process()() == REISSUED
    assert world.steps == ["lay out", "register", "place", "reissue", "reissue dead", "set_current"]
    assert await world.process()() == Intact()


async def test_while_the_mark_is_there_nothing_is_issued(world: World) -> None:
    assert [await world.process()() for _ in range(3)] == [Intact()] * 3
    assert world.steps == []


async def test_when_it_is_gone_everything_is_issued_once(world: World) -> None:
    world.lose_data()
    assert await world.process()() == REISSUED
    assert world.steps == ["lay out", "register", "place", "reissue", "reissue dead", "remove", "set_current"]
    assert [await world.process()() for _ in range(3)] == [Intact()] * 3


@pytest.mark.parametrize(
    "step", ["lay out", "register", "place", "reissue", "reissue dead", "remove", "set_current"]
)
async def test_who_dies_in_between_leaves_it_to_the_next(world: World, step: str) -> None:
    world.lose_data()
    world.dies_at = step
    with pytest.raises(StoreUnavailable):
        await world.process()()
    world.dies_at = None
    assert await world.process()() == REISSUED
    assert await world.process()() == Intact()


@pytest.mark.parametrize("step", ["reissue", "reissue dead", "set_current"])
async def test_a_broker_that_loses_its_data_meanwhile_is_found_out(world: World, step: str) -> None:
    world.lose_data()
    world.hold = asyncio.Event()
    asking = asyncio.create_task(world.process()())

    async def loses(name: str) -> None:
        world.steps.append(name)
        if name == step:
            world.broker.standing.clear()

    world.step = loses
    world.hold.set()
    assert await asking == REISSUED
    del world.step
    world.hold = None
    assert await world.process()() == REISSUED


async def test_marks_that_nobody_relies_on_are_taken_away(world: World) -> None:
    """Whoever died, at whatever step: in the end one mark stands, and the database knows of no other."""
    for step in ("register", "place", "reissue", "reissue dead", "remove", "set_current"):
        world.lose_data()
        world.dies_at = step
        with pytest.raises(StoreUnavailable):
            await world.process()()
        world.dies_at = None
        assert await world.process()() == REISSUED
        assert world.rows.markers == dict.fromkeys(world.broker.standing, True)
        assert len(world.broker.standing) == 1


async def test_who_goes_on_does_so_under_the_same_mark(world: World) -> None:
    world.lose_data()
    world.dies_at = "reissue dead"
    with pytest.raises(StoreUnavailable):
        await world.process()()
    [mark] = world.broker.standing
    world.dies_at = None
    assert await world.process()() == REISSUED
    assert world.broker.standing == {mark}
    assert world.steps.count("place") == 1


async def test_a_mark_that_cannot_be_taken_away_is_at_the_next_look(world: World) -> None:
    world.lose_data()
    world.dies_at = "set_current"
    with pytest.raises(StoreUnavailable):
        await world.process()()
    [left] = world.broker.standing
    away = world.process()

    async def fails(marker: UUID) -> None:
        raise BrokerUnavailable("no answer")

    away.broker.remove, away.broker.exists = fails, lambda marker: _later(marker != left and marker in here)
    here = world.broker.standing
    world.dies_at = None
    assert await away() == REISSUED
    assert left in world.broker.standing
    assert await world.process()() == Intact()
    assert left not in world.broker.standing
    assert len(world.rows.markers) == 1


async def _later(answer: bool) -> bool:
    return answer


async def test_who_freezes_and_wakes_up_afterwards_is_overtaken(world: World) -> None:
    """Its lock has ended with its heartbeats, and another has taken it."""
    world.lose_data()
    frozen, world.hold = asyncio.Event(), asyncio.Event()
    held = world.hold

    async def stops(name: str) -> None:
        if name == "place":
            frozen.set()
            await held.wait()

    world.step = stops
    sleeper = asyncio.create_task(world.process()())
    await frozen.wait()
    del world.step
    world.hold = None
    world.rows.alone = None
    assert await world.process()() == REISSUED
    held.set()
    assert await sleeper == RecoveringElsewhere()
    assert world.rows.markers == dict.fromkeys(world.broker.standing, True)
    assert await world.process()() == Intact()


async def test_of_many_processes_one_issues(world: World) -> None:
    world.lose_data()
    world.hold = asyncio.Event()
    first = asyncio.create_task(world.process()())
    await eventually(lambda: world.rows.alone is not None)
    assert [await world.process()() for _ in range(5)] == [RecoveringElsewhere()] * 5
    world.hold.set()
    assert await first == REISSUED
    assert [await world.process()() for _ in range(5)] == [Intact()] * 5
    assert world.steps.count("reissue") == 1


async def test_nothing_is_issued_into_queues_that_are_not_there(world: World) -> None:
    world.lose_data()
    world.lacking = "queue deliver.email.high is missing"
    assert await world.process()() == TopologyMissing(world.lacking)
    assert world.steps == ["lay out"]
    world.lacking = None
    assert await world.process()() == REISSUED


async def test_a_broker_that_does_not_answer_has_not_lost_anything(world: World) -> None:
    async def silent(marker):
        raise BrokerUnavailable("no answer")

    process = world.process()
    process.broker.exists = silent
    with pytest.raises(BrokerUnavailable):
        await process()
    assert world.steps == []
