"""A provider that takes its time: one call, one copy, and nobody else is held up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from application.broker.ports import Outgoing
from application.delivery.keep import KeepLeases
from application.outbox.pointers import Pointer, encode
from domain.kernel.errors import StoreUnavailable
from domain.provider.outcome import Accepted
from entrypoints.engine.lane.actor import LaneActor
from entrypoints.engine.lane.capacity import ProviderCapacity
from entrypoints.engine.recurring import Recurring
from tests.support.eventually import eventually
from tests.support.memory.deliveries import MemoryDeliveries
from tests.support.memory.renewals import MemoryRenewals
from tests.support.virtual_time import passing
from tests.unit.engine.harness import CLOCK, EMAIL, IDS, WEIGHTS, World

LEASE = timedelta(seconds=15)


class Kept(World):
    """Its leases are kept; `asked` is how many were renewed each time."""

    def __init__(self) -> None:
        super().__init__(lease=LEASE)
        self.asked: list[int] = []
        self.away = False
        keep = KeepLeases(renewals=self, under_way=self.engine.call.under_way, clock=CLOCK, lease=LEASE)
        self.keeping = Recurring(name="leases", work=keep, every=1.0, telemetry=self.telemetry)

    async def renew(self, calls, *, lease):
        """As `Renewals`."""
        if self.away:
            raise StoreUnavailable("away")
        self.asked.append(len(calls))
        return await MemoryRenewals(rows=self.rows).renew(calls, lease=lease)


@pytest.fixture
async def world() -> AsyncIterator[Kept]:
    world = Kept()
    task = asyncio.create_task(world.keeping.run())
    yield world
    await world.stop()
    world.keeping.stop()
    await task


def takes(world: World, seconds: float) -> None:
    async def answer(message):
        await passing(seconds)
        return Accepted(str(message.attempt))

    world.answer = answer


async def somebody_else_comes(world: World, id_) -> int:
    """A pointer that came twice, in another process: how many it takes."""
    other = MemoryDeliveries(rows=world.rows, process=uuid4(), ids=IDS)
    return len((await other.lease([Pointer(id_, 1)], lease=LEASE)).taken)


async def test_a_call_of_minutes_is_made_once(world: Kept) -> None:
    takes(world, 500)
    [id_] = await world.accept()
    world.start()
    for _ in range(40):
        await passing(12)
        assert await somebody_else_comes(world, id_) == 0
    await eventually(lambda: world.all_sent([id_]), timeout=60)
    assert world.sent == [id_]
    assert len(world.asked) < 500 / (LEASE.total_seconds() / 3) + 2, "one statement for each third of it"


async def test_quick_calls_are_not_renewed(world: Kept) -> None:
    takes(world, 0.5)
    ids = await world.accept(50)
    world.start()
    await eventually(lambda: world.all_sent(ids))
    assert world.asked == []


async def test_when_the_store_is_back_the_call_is_still_ours(world: Kept) -> None:
    takes(world, 120)
    [id_] = await world.accept()
    world.start()
    await passing(5)
    world.away = True
    await passing(60)
    world.away = False
    await passing(1.2)
    assert await somebody_else_comes(world, id_) == 0
    await eventually(lambda: world.all_sent([id_]), timeout=60)
    assert world.sent == [id_]


async def test_a_call_that_was_overtaken_leaves_the_lease_of_a_later_one_alone(world: Kept) -> None:
    """Both are under way in one process: the first may end whenever it likes."""
    takes(world, 100)
    [id_] = await world.accept()
    world.start()
    await passing(5)
    world.away = True  # nothing can be renewed
    await passing(LEASE.total_seconds())
    assert await somebody_else_comes(world, id_) == 1
    await passing(LEASE.total_seconds() + 1)  # who dies
    world.away = False
    takes(world, 300)
    message = Outgoing(id=IDS.next(), queue=EMAIL.queue, body=encode([Pointer(id_, 1)]))
    await world.broker.publish([message])
    for _ in range(23):
        await passing(12)
        assert await somebody_else_comes(world, id_) == 0
    await eventually(lambda: world.all_sent([id_]), timeout=60)
    assert not world.telemetry.troubled_by("deliveries.broken")
    assert {n: call.outcome for n, call in world.rows.attempts[id_].items()} == {1: "unknown", 3: "accepted"}


async def test_who_is_killed_meanwhile_is_soon_followed(world: Kept) -> None:
    """Leases stay short, however long calls may take."""
    takes(world, 500)
    [id_] = await world.accept()
    world.start()
    await passing(100)
    await world.die()
    await passing(LEASE.total_seconds() + 1)
    takes(world, 1)
    world.start()
    await eventually(lambda: world.all_sent([id_]), timeout=60)
    assert world.rows.attempts[id_][1].outcome == "unknown"


async def test_what_waits_behind_long_calls_is_kept_cleared_again_and_called_once(world: Kept) -> None:
    """Leased ahead while calls were quick; then every connection hangs for minutes."""
    relay = ProviderCapacity(pool=2, weights=WEIGHTS)
    relay.took(0.001)
    world.engine = replace(world.engine, capacity={"smtp": relay})
    world.lane = LaneActor(lane=EMAIL, services=world.engine)
    takes(world, 100)
    ids = await world.accept(8, packed=True)
    world.start()
    await eventually(lambda: world.all_sent(ids), timeout=600)
    assert {call.outcome for calls in world.rows.attempts.values() for call in calls.values()} == {"accepted"}
    assert [row.attempt for row in world.rows.deliveries.values()] == [1] * 8
