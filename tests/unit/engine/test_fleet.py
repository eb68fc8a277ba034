"""The lanes of channels that come and go."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

import pytest

from application.kernel.supervision import Tasks
from domain.kernel.errors import StoreUnavailable
from entrypoints.engine.actor import Actor
from entrypoints.engine.lane.fleet import LaneFleet
from tests.support.eventually import eventually, steadily
from tests.support.telemetry import RecordedTelemetry


class Lanes:
    """An actor that runs until it is stopped, and longer while it has something in hand."""

    def __init__(self, name: str, running: set[str]) -> None:
        self.name = name
        self.running = running
        self.in_hand = asyncio.Event()
        self.in_hand.set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        self.running.add(self.name)
        try:
            await self._stopping.wait()
            await self.in_hand.wait()
        finally:
            self.running.discard(self.name)

    def stop(self) -> None:
        self._stopping.set()


class World:
    def __init__(self) -> None:
        self.channels: set[str] = set()
        self.away = False
        self.running: set[str] = set()
        self.made: list[Lanes] = []
        self.fleet = LaneFleet(
            channels=self.read, actors=self.make, tasks=Tasks(), telemetry=RecordedTelemetry(), every=0.01
        )

    async def read(self) -> Collection[str]:
        if self.away:
            raise StoreUnavailable("away")
        return frozenset(self.channels)

    def make(self, channel: str) -> Sequence[Actor]:
        self.made.append(Lanes(f"deliver.{channel}.low", self.running))
        return [self.made[-1]]


@asynccontextmanager
async def working(world: World) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(world.fleet.run())
    try:
        yield task
    finally:
        world.fleet.stop()
        for lanes in world.made:
            lanes.in_hand.set()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_channel_that_comes_gets_its_lanes_and_one_that_goes_loses_them(world: World) -> None:
    async with working(world):
        world.channels = {"whatsapp"}
        await eventually(lambda: world.running == {"deliver.whatsapp.low"})
        world.channels = {"telegram", "whatsapp"}
        await eventually(lambda: len(world.running) == 2)
        world.channels = {"telegram"}
        await eventually(lambda: world.running == {"deliver.telegram.low"})
        world.channels = {"telegram", "whatsapp"}
        await eventually(lambda: len(world.running) == 2)
    assert len(world.made) == 3


async def test_while_the_store_is_away_what_runs_goes_on(world: World) -> None:
    world.channels = {"whatsapp"}
    async with working(world):
        await eventually(lambda: len(world.running) == 1)
        world.away = True
        await steadily(lambda: (len(world.running), len(world.made)) == (1, 1), seconds=0.1)


async def test_it_ends_when_its_lanes_have_finished_what_they_have_in_hand(world: World) -> None:
    world.channels = {"whatsapp"}
    async with working(world) as task:
        await eventually(lambda: len(world.running) == 1)
        world.made[0].in_hand.clear()
        world.fleet.stop()
        await steadily(lambda: not task.done(), seconds=0.1)
        world.made[0].in_hand.set()
        await asyncio.wait_for(task, 5)
    assert world.running == set()


async def test_cancelled_it_leaves_no_lane_behind(world: World) -> None:
    world.channels = {"whatsapp"}
    async with working(world) as task:
        await eventually(lambda: len(world.running) == 1)
        world.made[0].in_hand.clear()
        task.cancel()
        await eventually(lambda: world.running == set())
