"""Whether everything is issued again: when it must be, once, and again after whoever did it died."""

import asyncio

import pytest

from adapters.memory.incarnation import MemoryKnownMarker, MemoryMarker
from adapters.memory.rows import MemoryRows
from adapters.system import SystemClock, SystemIds
from application.outbox.recover import Elsewhere, Intact, Lacking, Marked, RecoverBroker, Reissued
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable
from tests.support.eventually import eventually

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

    async def reissue(self) -> int:
        await self.step("reissue")
        return self.unfinished

    async def reissue_dead(self) -> int:
        await self.step("reissue dead")
        return self.dead

    def lose_data(self) -> None:
        self.broker.standing.clear()
        self.steps.clear()


class _Known:
    """Fails at `replace` when told."""

    def __init__(self, world: World) -> None:
        self.world, self.inner = world, MemoryKnownMarker(rows=world.rows)
        self.marker, self.alone = self.inner.marker, self.inner.alone

    async def replace(self, marker):
        await self.world.step("replace")
        await self.inner.replace(marker)


class _Broker:
    """Fails at `plant` when told."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def stands(self, marker):
        return await self.world.broker.stands(marker)

    async def plant(self, marker):
        await self.world.step("plant")
        await self.world.broker.plant(marker)


@pytest.fixture
async def world() -> World:
    """Marked once, when there was nothing yet, as any system that has run."""
    world = World()
    assert await world.process()() == Marked()
    world.steps.clear()
    world.unfinished, world.dead = 7, 2
    return world


REISSUED = Reissued(pointers=7, dead_letters=2)


async def test_what_was_there_before_the_first_mark_is_issued_with_it() -> None:
    """The broker may have lost it by then, and nobody could have seen that."""
    world = World()
    world.unfinished, world.dead = 7, 2
    assert await world.process()() == REISSUED
    assert world.steps == ["lay out", "plant", "reissue", "reissue dead", "replace"]
    assert await world.process()() == Intact()


async def test_while_the_mark_is_there_nothing_is_issued(world: World) -> None:
    assert [await world.process()() for _ in range(3)] == [Intact()] * 3
    assert world.steps == []


async def test_when_it_is_gone_everything_is_issued_once(world: World) -> None:
    world.lose_data()
    assert await world.process()() == REISSUED
    assert world.steps == ["lay out", "plant", "reissue", "reissue dead", "replace"]
    assert [await world.process()() for _ in range(3)] == [Intact()] * 3


@pytest.mark.parametrize("step", ["lay out", "plant", "reissue", "reissue dead", "replace"])
async def test_who_dies_in_between_leaves_it_to_the_next(world: World, step: str) -> None:
    world.lose_data()
    world.dies_at = step
    with pytest.raises(StoreUnavailable):
        await world.process()()
    world.dies_at = None
    assert await world.process()() == REISSUED
    assert await world.process()() == Intact()


@pytest.mark.parametrize("step", ["reissue", "reissue dead", "replace"])
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


async def test_of_many_processes_one_issues(world: World) -> None:
    world.lose_data()
    world.hold = asyncio.Event()
    first = asyncio.create_task(world.process()())
    await eventually(lambda: world.rows.marker_locked)
    assert [await world.process()() for _ in range(5)] == [Elsewhere()] * 5
    world.hold.set()
    assert await first == REISSUED
    assert [await world.process()() for _ in range(5)] == [Intact()] * 5
    assert world.steps.count("reissue") == 1


async def test_nothing_is_issued_into_queues_that_are_not_there(world: World) -> None:
    world.lose_data()
    world.lacking = "queue deliver.email.high is missing"
    assert await world.process()() == Lacking(world.lacking)
    assert world.steps == ["lay out"]
    world.lacking = None
    assert await world.process()() == REISSUED


async def test_a_broker_that_does_not_answer_has_not_lost_anything(world: World) -> None:
    async def silent(marker):
        raise BrokerUnavailable("no answer")

    process = world.process()
    process.broker.stands = silent
    with pytest.raises(BrokerUnavailable):
        await process()
    assert world.steps == []
