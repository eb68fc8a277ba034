"""The virtual loop: time jumps, order is kept, and a deadlock is said."""

import asyncio

import pytest

from tests.support import virtual_time
from tests.support.virtual_time import Stuck, VirtualLoop, passing


def test_an_hour_takes_no_time_and_timers_fire_in_their_order() -> None:
    said: list[tuple[float, str]] = []

    async def say(after: float, word: str, virtual: VirtualLoop) -> None:
        await passing(after)
        said.append((virtual.time(), word))

    async def main(virtual: VirtualLoop) -> None:
        words = ((3600.0, "hour"), (0.75, "more"), (0.5, "half"), (0.0, "now"))
        await asyncio.gather(*(say(after, word, virtual) for after, word in words))

    virtual_time.run(main)

    assert said == [(0.0, "now"), (0.5, "half"), (0.75, "more"), (3600.0, "hour")]


def test_time_outs_are_virtual_too() -> None:
    async def main(virtual: VirtualLoop) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1000):
                await asyncio.Event().wait()
        return virtual.time()

    assert virtual_time.run(main) == 1000


def test_when_nobody_can_go_on_it_says_so() -> None:
    async def main(_: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        virtual_time.run(main)
