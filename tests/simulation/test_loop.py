"""The virtual loop: time jumps, order is kept, and a deadlock is said."""

import asyncio
from random import Random

import pytest

from tests.simulation import loop
from tests.simulation.loop import Stuck, VirtualLoop, passing
from tests.simulation.process import Process, SeededIds, make_task


def test_an_hour_takes_no_time_and_timers_fire_in_their_order() -> None:
    told: list[tuple[float, str]] = []

    async def say(after: float, word: str, virtual: VirtualLoop) -> None:
        await passing(after)
        told.append((virtual.time(), word))

    async def main(virtual: VirtualLoop) -> None:
        words = ((3600.0, "hour"), (0.75, "more"), (0.5, "half"), (0.0, "now"))
        await asyncio.gather(*(say(after, word, virtual) for after, word in words))

    loop.run(main)

    assert told == [(0.0, "now"), (0.5, "half"), (0.75, "more"), (3600.0, "hour")]


def test_time_outs_are_virtual_too() -> None:
    async def main(virtual: VirtualLoop) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1000):
                await asyncio.Event().wait()
        return virtual.time()

    assert loop.run(main) == 1000


def test_when_nobody_can_go_on_it_says_so() -> None:
    async def main(_: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        loop.run(main)


def test_a_killed_process_does_nothing_more_and_the_others_go_on() -> None:
    told: list[str] = []

    async def count(name: str, process: Process) -> None:
        while True:
            process.check()
            told.append(name)
            await passing(1)

    async def main(virtual: VirtualLoop) -> None:
        clock = loop.VirtualClock(virtual)
        one, other = (Process(name, virtual, SeededIds(clock, Random(1))) for name in ("one", "other"))
        for process in (one, other):
            process.start(count(process.name, process))
        await passing(2.5)
        one.kill()
        await passing(2)

    loop.run(main, make_task)

    assert told == ["one", "other"] * 3 + ["other"] * 2
