"""What the in-process broker has beside the contract: bounds, a virtual clock, routing by definitions."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.memory.broker import MemoryBroker
from adapters.memory.routing import Routes, matches
from adapters.rabbitmq.topology import definitions
from application.broker.ports import Outgoing
from domain.kernel.errors import BrokerUnavailable

LANE = "deliver.email.high"


class VirtualClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def outgoing(size: int = 2, **more: object) -> Outgoing:
    return Outgoing(id=uuid4(), queue=LANE, body=b"x" * size, **more)


async def test_full_it_refuses_publishers_until_something_is_acked() -> None:
    broker = MemoryBroker(definitions(["email"]), VirtualClock(), memory_max=10_000)
    await broker.publish([outgoing(3_000)])
    await broker.publish_later([outgoing(9_000, delay=timedelta(days=1))])
    assert broker.blocked
    for publish in (broker.publish, broker.publish_later):
        with pytest.raises(BrokerUnavailable, match="blocks publishers"):
            await publish([outgoing()])

    subscription = await broker.subscribe(LANE, 10)
    await subscription.ack([(await subscription.take(1))[0].tag])
    assert broker.blocked  # what is delayed counts too

    smaller = MemoryBroker(definitions(["email"]), VirtualClock(), memory_max=10_000)
    await smaller.publish([outgoing(9_000)])
    subscription = await smaller.subscribe(LANE, 10)
    [message] = await subscription.take(1)
    assert smaller.blocked
    await subscription.ack([message.tag])
    assert smaller.blocked is None
    await smaller.publish([outgoing()])
    await broker.close()


async def test_time_is_the_clocks() -> None:
    clock = VirtualClock()
    broker = MemoryBroker(definitions(["email"]), clock)
    years = [outgoing(delay=timedelta(days=days)) for days in (700, 1, 365)]
    await broker.publish_later(years)
    clock.seconds += timedelta(days=400).total_seconds()
    broker.release()
    assert broker.depth(LANE) == 2
    clock.seconds += timedelta(days=300).total_seconds() - 1
    broker.release()
    assert broker.depth(LANE) == 2
    clock.seconds += 1
    broker.release()
    taken = await (await broker.subscribe(LANE, 5)).take(5)
    assert [message.headers["x-posthorn-id"] for message in taken] == [str(years[n].id) for n in (1, 2, 0)]
    await broker.close()


async def test_closed_it_is_away() -> None:
    broker = MemoryBroker(definitions(["email"]), VirtualClock())
    await broker.close()
    assert not broker.connected
    with pytest.raises(BrokerUnavailable):
        await broker.publish([outgoing()])
    with pytest.raises(BrokerUnavailable):
        await broker.subscribe(LANE, 1)


async def test_a_cut_network_counts_one_delivery_however_many_consumers_there_are() -> None:
    broker = MemoryBroker(definitions(["email"]), VirtualClock())
    for _ in range(5):
        await broker.subscribe(LANE, 10)
    await broker.publish([outgoing() for _ in range(20)])
    broker.drop()
    taken = await (await broker.subscribe(LANE, 50)).take(50)
    assert [message.headers["x-delivery-count"] for message in taken] == [1] * 20


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("#", ["", "a", "a.b.c"], []),
        ("a.#", ["a", "a.b", "a.b.c"], ["", "b", "ab", "b.a"]),
        ("*.b.#", ["a.b", "x.b.c"], ["b", "a.c", "a.x.b"]),
        ("#.b", ["b", "a.b", "a.a.b"], ["b.a", "a.b.c"]),
        ("#.x.#", ["x", "a.x", "a.x.b", "x.x"], ["a.b"]),
        ("a.*", ["a.b", "a."], ["a", "a.b.c"]),
    ],
)
def test_topics(pattern: str, matching: list[str], other: list[str]) -> None:
    for key in matching:
        assert matches(pattern.split("."), key.split(".")), key
    for key in other:
        assert not matches(pattern.split("."), key.split(".")), key


def test_the_ladders_own_bindings_lead_every_delay_down_bit_by_bit() -> None:
    routes = Routes(definitions(["email"]))
    for seconds in (1, 2, 3, 5, 64, 100, 2**27 + 1, 2**28 - 1):
        bits = f"{seconds:b}"[::-1]
        key = ".".join(("email", "high", *bits))
        visited = 0
        level = len(bits) - 1
        while level >= 0:
            reached = routes.queues(f"delay.{level:02}", key)
            assert len(reached) == 1
            queue = reached.pop()
            if queue == LANE:
                break
            level = int(queue.removeprefix("delay."))
            visited += 2**level
            level -= 1
        assert visited == seconds
        assert routes.queues("due", key) == {LANE}
