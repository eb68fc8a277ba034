"""A simulated process dies at once, and alone."""

from random import Random

from adapters.system import StoreClock
from tests.simulation.process import Process, SeededIds, TaskFactory
from tests.support import virtual_time
from tests.support.virtual_time import VirtualLoop, passing


def test_a_killed_process_does_nothing_more_and_the_others_go_on() -> None:
    order: list[str] = []

    async def count(name: str, process: Process) -> None:
        while True:
            process.check()
            order.append(name)
            await passing(1)

    async def main(virtual: VirtualLoop) -> None:
        clock = virtual_time.VirtualClock()
        one, other = (
            Process(name, virtual, SeededIds(clock, Random(1)), StoreClock(clock))
            for name in ("one", "other")
        )
        for process in (one, other):
            process.start(count(process.name, process))
        await passing(2.5)
        one.kill()
        await passing(2)

    virtual_time.run(main, TaskFactory())

    assert order == ["one", "other"] * 3 + ["other"] * 2
