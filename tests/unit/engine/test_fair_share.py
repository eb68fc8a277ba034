"""Permits that lanes share by weight, and the congestion window."""

import asyncio
from collections import Counter

from config.settings import Weights
from domain.kernel.channel import Lane, Priority
from entrypoints.engine.lane.congestion import CongestionWindow
from entrypoints.engine.lane.fair_share import FairSemaphore

WEIGHTS = Weights().by_priority()
LANES = {p: Lane("email", p) for p in Priority}


async def test_busy_lanes_share_by_weight_and_none_starves():
    permits, served = FairSemaphore(total=15, weights=WEIGHTS), Counter()

    async def busy(lane: Lane) -> None:
        while sum(served.values()) < 1500:
            count = await permits.acquire(lane, 1)
            served[lane.priority] += count
            await asyncio.sleep(0)
            permits.release(count)

    async with asyncio.TaskGroup() as group:
        await permits.acquire(LANES[Priority.LOW], 14)  # one is left: they have to share it
        for lane in LANES.values():
            group.create_task(busy(lane))
    low = served[Priority.LOW]
    assert 80 <= low <= 130
    for priority, weight in zip(Priority, (8, 4, 2, 1), strict=True):
        assert 0.8 * weight <= served[priority] / low <= 1.25 * weight


async def test_shares_are_the_operators_to_choose():
    weights = Weights(critical=1, low=3).by_priority()
    permits, served = FairSemaphore(total=1, weights=weights), Counter()
    critical, low = LANES[Priority.CRITICAL], LANES[Priority.LOW]

    async def busy(lane: Lane) -> None:
        while sum(served.values()) < 400:
            served[lane] += await permits.acquire(lane, 1)
            asyncio.get_running_loop().call_later(0.001, permits.release, 1)  # it asks for more meanwhile

    await asyncio.gather(busy(critical), busy(low))
    assert 2.5 <= served[low] / served[critical] <= 3.5


async def test_an_idle_lane_cannot_save_up():
    permits = FairSemaphore(total=1, weights=WEIGHTS)
    low, high = LANES[Priority.LOW], LANES[Priority.HIGH]
    for _ in range(100):
        permits.release(await permits.acquire(low, 1))
    order = []

    async def once(lane: Lane, times: int) -> None:
        for _ in range(times):
            count = await permits.acquire(lane, 1)
            order.append(lane.priority)
            await asyncio.sleep(0)
            permits.release(count)

    await asyncio.gather(once(high, 20), once(low, 20))
    assert Priority.LOW in order[:8]


async def test_critical_finds_room_when_all_others_fill_the_house():
    permits = FairSemaphore(total=10, reserve=2, weights=WEIGHTS)
    assert await permits.acquire(LANES[Priority.LOW], 100) == 8
    assert await asyncio.wait_for(permits.acquire(LANES[Priority.CRITICAL], 5), 1) == 2


async def test_a_lane_that_goes_away_while_waiting_leaves_its_slots():
    permits = FairSemaphore(total=1, weights=WEIGHTS)
    await permits.acquire(LANES[Priority.LOW], 1)
    waiting = asyncio.ensure_future(permits.acquire(LANES[Priority.HIGH], 1))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    permits.release(1)
    assert permits.used == 0
    assert await permits.acquire(LANES[Priority.LOW], 1) == 1


def test_a_window_grows_while_it_is_full_and_calls_start_promptly():
    window = CongestionWindow(most=1000, first=64)
    window.observe(0.01, starting=64)
    assert window.limit == 128
    window.observe(0.01, starting=3)
    assert window.limit == 128


def test_a_window_shrinks_when_calls_have_to_wait_and_never_closes():
    window = CongestionWindow(most=1000, first=64)
    for _ in range(20):
        window.observe(2.0, starting=64)
    assert window.limit == 1
