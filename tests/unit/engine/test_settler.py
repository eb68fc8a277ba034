"""Settling: together, tried again, and never one for the other's fault."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from application.delivery.ports import Settled, Settlement
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.errors import StoreUnavailable
from entrypoints.engine.lane.settler import Settler
from tests.support.telemetry import RecordedTelemetry


class Store:
    """Settles; `bad` cannot be written, `away` times it is away."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.bad: set[object] = set()
        self.away = 0
        self.go = asyncio.Event()
        self.go.set()

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        await self.go.wait()
        self.batches.append(len(settlements))
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        if any(s.delivery in self.bad for s in settlements):
            raise LookupError("a bug")
        return Settled([], [])

    def offer(self, messages: object) -> None:
        """As `Handoff`."""


def settlement() -> Settlement:
    return Settlement(delivery=uuid4(), attempt=1, status=DeliveryStatus.SENT, outcome="accepted")


def settler(store: Store, **options: object) -> Settler:
    return Settler(
        deliveries=store, handoff=store, telemetry=RecordedTelemetry(), retry_wait=0.001, **options
    )


async def test_those_that_end_while_a_settle_is_in_flight_share_the_next():
    store = Store()
    one = settler(store)
    store.go.clear()
    waiting = [asyncio.ensure_future(one.settle(settlement())) for _ in range(20)]
    await asyncio.sleep(0)
    store.go.set()
    assert all(await asyncio.gather(*waiting))
    assert len(store.batches) <= 2


async def test_an_absent_store_is_asked_until_it_is_back():
    store = Store()
    store.away = 5
    assert await settler(store).settle(settlement())


async def test_one_that_cannot_be_written_stands_alone():
    store = Store()
    one, given = settler(store), [settlement() for _ in range(20)]
    store.bad = {given[7].delivery}
    ends = await asyncio.gather(*(one.settle(s) for s in given), return_exceptions=True)
    assert [n for n, end in enumerate(ends) if end is not True] == [7]


async def test_a_crash_does_not_leave_the_queue_behind():
    store = Store()
    one, given = settler(store, batch_max=1, parallel=1), [settlement() for _ in range(3)]
    store.bad = {given[0].delivery}
    waiting = [asyncio.ensure_future(one.settle(s)) for s in given]
    done, pending = await asyncio.wait(waiting, timeout=1)
    assert not pending
    with pytest.raises(LookupError):
        waiting[0].result()
    assert len(done) == 3


async def test_one_after_the_other_waits_for_nobody_else():
    one = settler(Store())
    async with asyncio.timeout(1):
        for _ in range(3):  # each comes just as the one before has seen the queue empty
            assert await one.settle(settlement())


async def test_a_settle_that_a_library_cancels_keeps_nobody_waiting():
    class Cancelling(Store):
        """Its driver cancels the wait for the first answer, as drivers do when a connection dies."""

        async def settle(self, settlements: Sequence[Settlement]) -> Settled:
            if not self.batches:
                self.batches.append(len(settlements))
                raise asyncio.CancelledError
            return await super().settle(settlements)

    store = Cancelling()
    one = settler(store)
    ended = [asyncio.ensure_future(one.settle(settlement())) for _ in range(3)]
    await asyncio.wait_for(asyncio.wait(ended), 1)
    assert await asyncio.wait_for(one.settle(settlement()), 1)
