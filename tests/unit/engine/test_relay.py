"""The relay: urgent first, bounded, and whatever happens what is committed is published in the end."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from application.broker.ports import Outgoing, Published
from application.outbox.ports import OutboxMessage
from application.outbox.relay import RelayOutbox
from domain.kernel.errors import BrokerUnavailable
from entrypoints.engine.relay.actor import RelayActor
from tests.support.eventually import eventually
from tests.support.memory.outbox import MemoryOutbox, write
from tests.support.memory.rows import MemoryRows
from tests.support.telemetry import RecordedTelemetry
from tests.support.virtual_time import passing
from tests.unit.engine.harness import CLOCK, IDS


class Broker:
    """A publisher that remembers; `refuse` may raise."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.away = 0
        self.poison: set[object] = set()
        self.lost: set[str] = set()
        """Queues that are not there."""
        self.silent: set[str] = set()
        """Queues that never confirm."""
        self.tries = 0
        self.no_ladder = False
        self.go = asyncio.Event()
        self.go.set()

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        await self.go.wait()
        if self.away:
            self.away -= 1
            raise BrokerUnavailable("away")
        if any(message.id in self.poison for message in messages):
            raise ValueError("too large")
        self.tries += len(messages)
        taken = [m for m in messages if m.queue not in self.lost | self.silent]
        if not taken and not any(m.queue in self.lost for m in messages):
            raise BrokerUnavailable("the broker did not confirm within 5 s")
        self.published += taken
        return Published([m.id for m in taken], [m.id for m in messages if m.queue in self.lost])

    async def publish_later(self, messages: Sequence[Outgoing]) -> Published:
        if self.no_ladder:
            raise BrokerUnavailable("no exchange 'delay.01'")
        return await self.publish(messages)


class Reads(MemoryOutbox):
    """Counts how often it is asked."""

    count = 0

    async def owned(self, *args: Any) -> list[OutboxMessage]:
        Reads.count += 1
        return await super().owned(*args)


class World:
    """One relay over rows."""

    def __init__(self, **options: object) -> None:
        self.rows, self.me, self.broker, self.telemetry = (
            MemoryRows(CLOCK),
            uuid4(),
            Broker(),
            RecordedTelemetry(),
        )
        self.outbox = outbox = Reads(rows=self.rows, process=self.me)
        publish = RelayOutbox(outbox=outbox, publisher=self.broker, delayed=self.broker, clock=CLOCK)
        self.relay = RelayActor(
            relay=publish, outbox=outbox, telemetry=self.telemetry, **({"sweep_every": 0.02} | options)
        )
        self.task: asyncio.Task[None] | None = None

    def commit(
        self, count: int = 1, *, priority: int = 2, owner: object = None, **more: Any
    ) -> list[OutboxMessage]:
        known = {"queue": "q", "body": b"b", "priority": priority} | more
        made = [OutboxMessage(id=IDS.next(), **known) for _ in range(count)]
        write(self.rows, owner or self.me, made)
        return made

    def start(self) -> None:
        self.task = asyncio.create_task(self.relay.run())

    async def stop(self) -> None:
        self.relay.stop()
        await asyncio.wait_for(self.task, 5)

    def published(self) -> list[object]:
        return [message.id for message in self.broker.published]


async def test_what_is_handed_over_is_published_by_urgency_and_deleted():
    world = World(parallel=1, batch_max=1)
    low, critical = world.commit(3, priority=3), world.commit(2, priority=0)
    world.relay.offer([*low, *critical])
    world.start()
    await eventually(lambda: not world.rows.outbox)
    await world.stop()
    assert world.published() == [message.id for message in [*critical, *low]]


async def test_what_nobody_handed_over_and_what_the_dead_left_is_found():
    world = World()
    mine, theirs = world.commit(5), world.commit(5, owner=uuid4())
    world.start()
    await eventually(lambda: not world.rows.outbox)
    await world.stop()
    assert sorted(world.published()) == sorted(message.id for message in [*mine, *theirs])


async def test_critical_finds_room_in_a_memory_full_of_others():
    world = World(waiting_max=4)
    world.relay.offer([*world.commit(9, priority=3), *world.commit(1, priority=0)])
    assert world.relay.waiting == 5
    world.relay.offer(world.commit(5, priority=0))
    assert world.relay.waiting == 5


async def test_a_message_nobody_can_publish_does_not_stop_the_others():
    world = World()
    made = world.commit(20)
    world.broker.poison = {made[3].id}
    world.start()
    await eventually(lambda: len(world.rows.outbox) == 1)
    more = world.commit(5)
    world.relay.offer(more)
    await eventually(lambda: list(world.rows.outbox) == [made[3].id])
    assert not world.task.done()
    assert world.telemetry.troubled_by("relay.poison")
    await world.stop()


async def test_a_broker_away_costs_nothing_but_time():
    world = World(parallel=1)
    world.broker.away = 1
    made = world.commit(5)
    world.relay.offer(made)
    world.start()
    await eventually(lambda: not world.rows.outbox)
    await world.stop()
    assert sorted(world.published()) == sorted(message.id for message in made)


async def test_stopping_publishes_what_is_in_memory_and_ends_with_the_broker_away():
    world = World()
    world.relay.offer(world.commit(5))
    world.start()
    await world.stop()
    assert not world.rows.outbox
    world = World()
    world.broker.away = 10**9
    world.relay.offer(world.commit(5))
    world.start()
    await world.stop()
    assert len(world.rows.outbox) == 5


async def test_a_look_into_the_outbox_that_does_not_end_does_not_hold_up_the_end():
    class Hanging(MemoryOutbox):
        async def owned(self, *args: Any) -> list[OutboxMessage]:
            looking.set()
            await asyncio.Event().wait()
            return []

    looking = asyncio.Event()
    world = World()
    world.relay.outbox = Hanging(rows=world.rows, process=world.me)
    world.start()
    await looking.wait()
    world.relay.offer(world.commit(3))
    await world.stop()
    assert len(world.published()) == 3


async def test_what_was_confirmed_is_not_remembered_for_ever():
    world = World(sweep_every=60.0)
    world.start()
    await eventually(lambda: world.relay._more_in_outbox is False)
    for _ in range(5):
        world.relay.offer(world.commit(50))
        await eventually(lambda: not world.rows.outbox)
    assert not world.relay._gone
    assert not world.relay._held
    await world.stop()


FAR = datetime(2100, 1, 1, tzinfo=UTC)


def _unroutable(world: World, count: int) -> None:
    world.broker.lost = {"gone"}
    world.commit(count, priority=0, queue="gone")


def _never_confirmed(world: World, count: int) -> None:
    world.broker.silent = {"mute"}
    world.commit(count, priority=0, queue="mute")


def _unforeseen(world: World, count: int) -> None:
    world.broker.poison = {message.id for message in world.commit(count, priority=0, queue="bad")}


def _poison_among_the_healthy(world: World, count: int) -> None:
    world.broker.poison = {message.id for message in world.commit(count, priority=0)}


def _without_a_ladder(world: World, count: int) -> None:
    world.broker.no_ladder = True
    world.commit(count, priority=0, due=FAR)


@pytest.mark.parametrize(
    ("stick", "count"),
    [
        (_unroutable, 9_000),
        (_never_confirmed, 9_000),
        (_unforeseen, 3_000),
        (_poison_among_the_healthy, 3_000),
        (_without_a_ladder, 9_000),
    ],
)
async def test_what_cannot_be_published_stands_in_nobodys_way(
    stick: Callable[[World, int], None], count: int
) -> None:
    """Left behind by a dead process, before and between the good ones, and of the highest priority."""
    world = World(sweep_every=3.0)
    good = world.commit(300, priority=1)
    stick(world, count)
    good += world.commit(300, priority=3)
    for row in world.rows.outbox.values():
        row.owner = uuid4()
    world.start()
    await eventually(lambda: len(world.rows.outbox) == count, timeout=30)
    assert sorted(world.published()) == sorted(message.id for message in good)

    loop = asyncio.get_running_loop()
    since, tried, said, reads = loop.time(), world.broker.tries, len(world.telemetry.troubles), Reads.count
    while loop.time() < since + 60:
        await passing(1)
        world.relay.offer(world.commit(1, priority=3))
    await eventually(lambda: len(world.rows.outbox) == count)
    await world.stop()
    assert world.broker.tries - tried < count + 61 + 20 * world.relay.batch_max, "a hot loop"
    assert Reads.count - reads < 200
    assert len(world.telemetry.troubles) - said <= 2, world.telemetry.troubles
    assert len(world.telemetry.troubles) < 15, world.telemetry.troubles


async def test_a_queue_that_comes_back_gets_what_waited() -> None:
    world = World(sweep_every=3.0)
    _unroutable(world, 2_500)
    world.start()
    await eventually(lambda: world.telemetry.troubled_by("relay.unroutable"))
    world.broker.lost = set()
    await eventually(lambda: not world.rows.outbox, timeout=60)
    assert len(world.telemetry.troubled_by("relay.unroutable")) == 1
    assert ("relay.resumed", {"queue": "gone", "delayed": False}) in world.telemetry.wides
    await world.stop()


async def test_only_who_has_room_adopts() -> None:
    world = World(sweep_every=0.2)
    world.broker.go.clear()
    world.start()
    mine = world.commit(3_000)
    world.relay.offer(mine)
    theirs = world.commit(10, owner=uuid4())
    await passing(5)
    assert all(world.rows.outbox[message.id].owner != world.me for message in theirs)
    world.broker.go.set()
    await eventually(lambda: not world.rows.outbox)
    await world.stop()


async def test_who_gets_nothing_out_says_so_until_something_gets_out() -> None:
    world = World(sweep_every=3.0)
    world.start()
    await passing(60)
    assert world.relay.able, "there was nothing to publish"
    world.broker.away = 10**9
    world.relay.offer(world.commit(5))
    await passing(8)
    assert world.relay.able
    await passing(4)
    assert not world.relay.able
    world.commit(5_000, owner=uuid4())
    others = world.commit(7, owner=uuid4())
    await passing(30)
    assert all(world.rows.outbox[message.id].owner != world.me for message in others)
    assert len(world.telemetry.troubled_by("relay.waits")) == 1
    world.broker.away = 0
    await eventually(lambda: world.relay.able)
    await eventually(lambda: not world.rows.outbox, timeout=30)
    await world.stop()


async def test_with_nothing_of_its_own_it_tries_with_one_of_the_dead() -> None:
    """Or nobody would ever know that it can publish again."""
    world = World(sweep_every=3.0)
    world.start()
    world.broker.away = 10**9
    [mine] = world.commit(1)
    world.relay.offer([mine])
    await passing(15)
    del world.rows.outbox[mine.id]  # another has adopted and published it, and died with what else it had
    world.commit(50, owner=uuid4())
    await passing(15)
    assert sum(row.owner == world.me for row in world.rows.outbox.values()) == 1
    world.broker.away = 0
    await eventually(lambda: not world.rows.outbox, timeout=30)
    await world.stop()


async def test_a_broker_that_does_not_answer_is_nothing_getting_out() -> None:
    world = World()
    world.broker.go.clear()
    world.start()
    world.relay.offer(world.commit(600))
    await passing(12)
    assert not world.relay.able
    world.broker.go.set()
    await eventually(lambda: world.relay.able)
    await world.stop()


async def test_what_is_handed_over_is_bounded_by_bytes_and_the_rest_goes_by_sweep():
    world = World(bytes_max=1_000_000)
    large = world.commit(200, body=b"x" * 20_000)
    urgent = world.commit(20, body=b"x" * 20_000, priority=0)
    world.relay.offer([*large, *urgent])
    assert world.relay.waiting * 20_000 <= 1_250_000
    assert world.relay.waiting * 20_000 > 1_000_000, "critical ones have a reserve"
    world.start()
    await eventually(lambda: not world.rows.outbox)
    assert len({message.id for message in world.broker.published}) == 220
    await world.stop()
