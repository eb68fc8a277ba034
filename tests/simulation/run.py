"""One run: a shop's minute in a world that fails, some minutes of calm, and what must hold then."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.simulation.faults import STORM, Faults
from tests.simulation.fleet import Fleet
from tests.simulation.invariants import violations
from tests.simulation.operators import Operators
from tests.simulation.process import TaskFactory
from tests.simulation.shop import Shop
from tests.simulation.world import World
from tests.support import virtual_time

REST_MAX = 1800.0
"""Virtual seconds of calm within which everything comes to rest."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen."""

    seed: int
    deliveries: int
    calls: int
    faults: Counter[str]
    seconds: float
    """Virtual, until all was at rest."""
    violations: list[str]
    trace: list[str]


def simulate(seed: int, *, traced: bool = False) -> Report:
    """Run one seed; the same seed is the same run."""
    return virtual_time.run(partial(_run, seed, traced), TaskFactory())


def _hear(world: World, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A task of the product that nobody awaits has crashed; those of the dead end by cancellations."""
    if "name" not in context:
        loop.default_exception_handler(context)
    elif not isinstance(context["exception"].__cause__, asyncio.CancelledError):
        world.wrong(f"{context['message']}: {context['exception']!r}")


async def _run(seed: int, traced: bool, virtual: virtual_time.VirtualLoop) -> Report:
    world = World(virtual, seed, trace=[] if traced else None)
    virtual.set_exception_handler(lambda loop, context: _hear(world, loop, context))
    fleet = Fleet(world)
    shop = Shop(world, fleet)
    fleet.start()
    Faults(world, fleet).start()
    asking = world.spawn(shop.run())
    operating = world.spawn(Operators(world, fleet).run(STORM + 10))
    await virtual_time.passing(STORM)
    world.note("the storm is over")
    world.random_faults.calm()
    world.ambushes.clear()
    deadline = virtual.time() + REST_MAX
    while virtual.time() < deadline:
        await virtual_time.passing(1.0)
        if asking.done() and operating.done() and world.busy() is None:
            break
    else:
        world.wrong(f"no rest: {world.busy() or 'somebody was never answered'}")
    for task in (asking, operating):
        if task.done():
            task.result()
    return Report(
        seed=seed,
        deliveries=len(world.rows.deliveries),
        calls=len(world.provider.lines),
        faults=world.random_faults.count,
        seconds=virtual.time(),
        violations=violations(world, shop),
        trace=world.trace or [],
    )
