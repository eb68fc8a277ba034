"""The relay: urgent first, bounded, and whatever happens what is committed is published in the end."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from adapters.memory.outbox import MemoryOutbox, write
from adapters.memory.rows import MemoryRows
from application.outbox.relay import RelayOutbox
from application.ports.broker import Outgoing, Published
from application.ports.outbox import OutboxMessage
from domain.kernel.errors import BrokerUnavailable
from entrypoints.actors.relay import RelayActor
from tests.support.eventually import eventually
from tests.support.telemetry import Told
from tests.unit.actors.engine import CLOCK, IDS


class Broker:
    """A publisher that remembers; `refuse` may raise."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.away = 0
        self.poison: set[object] = set()
        self.go = asyncio.Event()
        self.go.set()

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        await self.go.wait()
        if self.away:
            self.away -= 1
            raise BrokerUnavailable("away")
        if any(message.id in self.poison for message in messages):
            raise ValueError("too large")
        self.published += messages
        return Published([message.id for message in messages], [])

    publish_later = publish


class World:
    """One relay over rows."""

    def __init__(self, **options: object) -> None:
        self.rows, self.me, self.broker, self.told = MemoryRows(CLOCK), uuid4(), Broker(), Told()
        outbox = MemoryOutbox(rows=self.rows, process=self.me)
        publish = RelayOutbox(outbox=outbox, publisher=self.broker, delayed=self.broker, clock=CLOCK)
        self.relay = RelayActor(
            relay=publish, outbox=outbox, telemetry=self.told, **({"sweep_every": 0.02} | options)
        )
        self.task: asyncio.Task[None] | None = None

    def commit(self, count: int = 1, *, priority: int = 2, owner: object = None) -> list[OutboxMessage]:
        made = [OutboxMessage(id=IDS.next(), queue="q", body=b"b", priority=priority) for _ in range(count)]
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
    assert world.told.troubled_by("relay.poison")
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


async def test_what_was_confirmed_is_not_remembered_for_ever():
    world = World(sweep_every=60.0)
    world.start()
    await eventually(lambda: world.relay._left_behind is False)
    for _ in range(5):
        world.relay.offer(world.commit(50))
        await eventually(lambda: not world.rows.outbox)
    assert not world.relay._gone
    assert not world.relay._held
    await world.stop()
