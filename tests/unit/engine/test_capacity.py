"""Calls start when their provider can take them; nobody waits for the slowest, and waiting is no attempt."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from application.outbox.reissue_overdue import ReissueOverdue
from domain.delivery.delivery import DeliveryStatus
from domain.provider.outcome import Accepted
from entrypoints.engine.lane.actor import LaneActor
from entrypoints.engine.lane.capacity import AHEAD_MAX, ProviderCapacity, acquire_grant
from entrypoints.engine.lane.fair_share import FairSemaphore
from tests.support.eventually import eventually
from tests.support.memory.catalog import MemoryChannels
from tests.support.memory.overdue import MemoryOverdue
from tests.support.virtual_time import passing, run
from tests.unit.engine.harness import CLOCK, EMAIL, IDS, WEIGHTS, World


def relay_of(pool: int) -> ProviderCapacity:
    return ProviderCapacity(pool=pool, weights=WEIGHTS)


async def worked(
    answer: Callable[[UUID], Awaitable[Any]],
    *,
    count: int,
    pool: int | None = None,
    slots: int = 1000,
    narrow: int | None = None,
) -> World:
    """A lane with `count` deliveries, worked off; `world.sent` has them in the order of their ends."""
    world = World(slots=slots)
    if pool is not None:
        world.engine = replace(world.engine, capacity={"smtp": relay_of(pool)})
        world.lane = LaneActor(lane=EMAIL, services=world.engine)

    if narrow is not None:
        world.lane.window.limit = world.lane.window.most = narrow

    async def accepted(message: Any) -> Accepted:
        await answer(message.delivery)
        return Accepted("ok")

    world.answer = accepted
    ids = [id_ for _ in range(0, count, 50) for id_ in await world.accept(50, packed=True)][:count]
    started = asyncio.get_running_loop().time()
    world.start()
    await eventually(lambda: world.all_sent(ids), timeout=600, interval=0.05)
    world.took = asyncio.get_running_loop().time() - started
    await world.stop()
    assert Counter(world.sent) == Counter(ids)
    return world


def attempts(world: World) -> Counter[str]:
    return Counter(call.outcome for calls in world.rows.attempts.values() for call in calls.values())


@pytest.mark.parametrize("seconds", [1.0, 0.3, 0.01])
def test_waiting_for_a_connection_is_no_attempt(seconds):
    async def main(_: object) -> World:
        return await worked(lambda _: passing(seconds), count=100, pool=4)

    world = run(main)
    assert attempts(world) == {"accepted": 100}
    assert world.took < 1.1 * 100 * seconds / 4 + 1, "and every connection is at work all the time"


def test_nothing_waits_for_the_slowest_of_its_chunk():
    ends: list[float] = []

    async def answer(_: UUID) -> None:
        slow = next(numbers) % 100 == 50
        await passing(3 if slow else 0.02)
        if not slow:
            ends.append(asyncio.get_running_loop().time())

    async def main(_: object) -> World:
        return await worked(answer, count=2000)

    numbers = itertools.count()
    world = run(main)
    assert attempts(world) == {"accepted": 2000}
    assert max(ends) < 2, "the quick ones are long done when the first slow one ends"


def test_slow_calls_under_way_do_not_close_a_narrow_window():
    """The database had a bad moment, and a call of three seconds is under way."""
    ends: list[float] = []

    async def answer(_: UUID) -> None:
        first = next(numbers) < 20
        await passing(3 if first else 0.02)
        if not first:
            ends.append(asyncio.get_running_loop().time())

    async def main(_: object) -> World:
        return await worked(answer, count=300, narrow=4)

    numbers = itertools.count()
    run(main)
    assert max(ends) < 2


def test_what_waited_too_long_is_cleared_again_and_not_called_on_old_facts():
    """All connections hang at once: what was leased ahead for them has waited three seconds then."""

    async def main(_: object) -> World:
        world = World()
        relay = relay_of(2)
        relay.took(0.001)
        world.engine = replace(world.engine, capacity={"smtp": relay})
        world.lane = LaneActor(lane=EMAIL, services=world.engine)
        ids = await world.accept(10, packed=True)

        async def answer(message: Any) -> Accepted:
            [call] = world.rows.attempts[message.delivery].values()
            ages.append(CLOCK.now() - call.cleared_at)
            begun.append(message.delivery)
            if len(begun) == 2:  # the others wait behind these two
                waiting = next(id_ for id_ in ids if id_ not in begun)
                notification = world.rows.deliveries[waiting].notification_id
                world.rows.notifications[notification].cancelled_at = CLOCK.now()
            await passing(3)
            return Accepted("ok")

        world.answer = answer
        world.start()
        await eventually(lambda: not world.broker.depth(EMAIL.queue), timeout=60)
        await world.stop()
        return world

    ages: list[timedelta] = []
    begun: list[UUID] = []
    world = run(main)
    assert max(ages) <= timedelta(seconds=1)
    assert attempts(world) == {"accepted": 9, "not_called": 1}
    statuses = Counter(row.status for row in world.rows.deliveries.values())
    assert statuses == {DeliveryStatus.SENT: 9, DeliveryStatus.CANCELLED: 1}


def test_a_slow_provider_takes_no_place_from_the_others():
    async def main(_: object) -> None:
        permits, relay = FairSemaphore(total=10, weights=WEIGHTS), relay_of(2)
        held = await acquire_grant(permits, relay, EMAIL, 8)
        assert (held.left, permits.used, relay.leased.used) == (2, 2, 2)
        waiting = asyncio.ensure_future(acquire_grant(permits, relay, EMAIL, 8))
        await passing(1)
        assert not waiting.done()
        assert permits.used == 2
        held.called(1)  # its call has ended; it is not settled yet
        assert (await waiting).left == 1
        assert permits.used == 3
        held.close()
        assert (permits.used, relay.leased.used) == (1, 1)

    run(main)


def test_who_gives_up_waiting_leaves_nothing_behind():
    async def main(_: object) -> None:
        permits, relay = FairSemaphore(total=1, weights=WEIGHTS), relay_of(4)
        await permits.acquire(EMAIL, 1)
        waiting = asyncio.ensure_future(acquire_grant(permits, relay, EMAIL, 3))
        await passing(0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert (permits.used, relay.leased.used) == (1, 0)

    run(main)


def test_the_quicker_the_calls_the_more_is_leased_ahead():
    relay = relay_of(4)
    assert relay.leased.total == 4
    for seconds, total in ((0.001, 4 * (1 + AHEAD_MAX)), (0.05, 12), (1.0, 4)):
        for _ in range(200):
            relay.took(seconds)
        assert relay.leased.total == total


async def test_what_is_in_hand_for_long_keeps_its_place_though_it_is_taken_for_late() -> None:
    """A slow relay: the lane's queue is empty, for everything is in hand, and waits there for minutes."""
    world = World()
    world.engine = replace(world.engine, capacity={"smtp": relay_of(1)})
    world.lane = LaneActor(lane=EMAIL, services=world.engine)

    async def slowly(_: Any) -> Accepted:
        await passing(2)
        return Accepted("ok")

    world.answer = slowly
    reissue = ReissueOverdue(
        overdue=MemoryOverdue(rows=world.rows, process=world.me, ids=IDS),
        sizes=world.broker,
        channels=MemoryChannels(rows=world.rows),
        handoff=world,
    )
    world.start()
    ids, issued = list[UUID](), 0
    for _ in range(60):  # as much comes as goes, and sixty are ahead of each
        ids += await world.accept(60 if not ids else 3, packed=True)
        await passing(6)
        issued += sum((await reissue()).issued.values())
    assert issued > 60, "or nothing was tried"
    assert world.sent == ids[: len(world.sent)]
    await eventually(lambda: world.all_sent(ids), timeout=300)
    await world.stop()
    assert world.sent == ids
    assert {row.attempt for row in world.rows.deliveries.values()} == {1}
