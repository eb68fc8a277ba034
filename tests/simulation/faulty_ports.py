"""The ports of a process, each over a network that fails: nothing else connects it with the world."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

from adapters.memory.queues import MemorySubscription
from application.broker.ports import LARGEST, Outgoing, Published, Received
from application.intake.command import INTAKE
from application.outbox.pointers import decode
from application.provider.ports import SANDBOX, OutboundMessage
from domain.device.device import PushService
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable
from domain.provider.outcome import Accepted, Deferred, Outcome, Unknown
from tests.simulation.invariants import call_begins
from tests.simulation.policies import CALL_MAX, SCAN_MAX
from tests.simulation.process import Process
from tests.simulation.random_faults import MessageFate, Part
from tests.simulation.world import AFTER_DEATH, LANE_QUEUES, World
from tests.support.memory.marker import MemoryKnownMarker


class RemotePort:
    """Any port whose methods are requests: each is carried to `inner` and back."""

    def __init__(self, world: World, process: Process, inner: Any, part: Part = Part.STORE) -> None:
        self._carry = partial(world.carry, process, part)
        self._inner = inner

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self._inner, name)

        async def request(*args: Any, **kwargs: Any) -> Any:
            return await self._carry(name, partial(method, *args, **kwargs))

        setattr(self, name, request)
        return request


class RemotePublisher:
    """Implements `Publisher` and `DelayedPublisher`."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        """At once."""
        return await self._carried("publish", messages)

    async def publish_later(self, messages: Sequence[Outgoing]) -> Published:
        """After each one's delay."""
        return await self._carried("publish_later", messages)

    async def _carried(self, how: str, messages: Sequence[Outgoing]) -> Published:
        return await self._world.carry(
            self._process, Part.BROKER, how, partial(self._publish, how, list(messages))
        )

    async def _publish(self, how: str, messages: list[Outgoing]) -> Published:
        world, prompt, silent = self._world, [], set[UUID]()
        world.promised |= {message.id for message in messages if message.queue == INTAKE}
        for message in messages:
            if message.queue in LANE_QUEUES:
                for pointer in decode(message.body):
                    world.rounds[pointer].add(message.id)
            fate = world.random_faults.message()
            if fate is not MessageFate.FINE:
                world.note("{} of {}", fate.value, self._process.name)
            if fate in (MessageFate.LOST, MessageFate.UNCONFIRMED):
                silent.add(message.id)
            if fate is MessageFate.LOST:
                continue
            if fate is MessageFate.DELAYED:
                world.taken |= set(decode(message.body)) if message.queue in LANE_QUEUES else set()
                world.delay(world.chance.uniform(0.1, 10), partial(self._put, how, [message]))
                continue
            prompt += [message] * (2 if fate is MessageFate.DOUBLED else 1)
        published = await self._put(how, prompt)
        unroutable = set(published.unroutable)
        gone = silent | unroutable
        return Published([m.id for m in messages if m.id not in gone], list(unroutable))

    async def _put(self, how: str, messages: Sequence[Outgoing]) -> Published:
        taken: Published = await getattr(self._world.broker, how)(messages)
        return taken


class RemoteConsumer:
    """Implements `Consumer` and `QueueSizes`."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    async def subscribe(self, queue: str, prefetch: int, largest: int = LARGEST) -> "RemoteSubscription":
        """Open a subscription; it is lost with the process's connection."""
        try:
            return await self._world.carry(
                self._process, Part.BROKER, "subscribe", partial(self._subscribe, queue, prefetch, largest)
            )
        except BrokerUnavailable:
            self._process.hang_up("cannot subscribe")
            raise

    async def _subscribe(self, queue: str, prefetch: int, largest: int) -> "RemoteSubscription":
        if not self._process.alive:
            raise BrokerUnavailable("nobody is there")
        inner = await self._world.broker.subscribe(queue, prefetch, largest)
        self._process.subscriptions.append(inner)
        return RemoteSubscription(self._world, self._process, inner)

    async def size(self, queue: str) -> int:
        """See `QueueSizes`."""
        return await self._world.carry(
            self._process, Part.BROKER, "size", partial(self._world.broker.size, queue)
        )


class RemoteSubscription:
    """Implements `Subscription`."""

    def __init__(self, world: World, process: Process, inner: MemorySubscription) -> None:
        self._world = world
        self._process = process
        self._inner = inner

    async def take(self, limit: int, size: int = LARGEST) -> list[Received]:
        """Wait for messages."""
        await self._world.thawed(self._process)
        self._process.check()
        return await self._inner.take(limit, size)

    async def refuse(self, tags: Sequence[int]) -> None:
        """Leave these to the broker."""
        self._process.check()
        await self._inner.refuse(tags)

    async def ack(self, tags: Sequence[int]) -> None:
        """Done with these; when that does not arrive, the connection is lost."""
        try:
            await self._world.carry(self._process, Part.BROKER, "ack", partial(self._inner.ack, list(tags)))
        except BrokerUnavailable:
            self._process.hang_up("ack lost")
            raise

    async def close(self) -> None:
        """Give back what is not acked."""
        self._process.check()
        await self._inner.close()


class RemoteMarkers:
    """Implements `KnownMarker`."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process
        self._inner = MemoryKnownMarker(rows=world.rows, process=process.id)
        remote = RemotePort(world, process, self._inner)
        self.markers, self.register, self.set_current = remote.markers, remote.register, remote.set_current

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """A lock that ends with the process."""
        self._process.check()
        if Part.STORE in self._world.random_faults.away:
            raise StoreUnavailable("away")
        async with self._inner.alone() as mine:
            yield mine


class RemoteProvider:
    """Implements `Gateways` and `Gateway`: the providers, over a network that fails."""

    def __init__(self, world: World, process: Process, name: str = SANDBOX) -> None:
        self._world = world
        self._process = process
        self._name = name

    def push_services(self, _provider: str) -> frozenset[str]:
        """It takes every token."""
        return frozenset(PushService)

    def named(self, provider: str) -> "RemoteProvider":
        """Every name has one."""
        return self if provider == self._name else RemoteProvider(self._world, self._process, provider)

    async def send(self, message: OutboundMessage) -> Outcome:
        """One call, bounded."""
        self._process.check()
        world = self._world
        call_begins(world, message)
        world.note(
            "{} calls {} for {} attempt {}", self._process.name, self._name, message.delivery, message.attempt
        )
        answer: asyncio.Future[Outcome] = world.loop.create_future()
        there = world.chance.choice((0.01, 0.01, min(1.0, world.chance.expovariate(10))))
        world.loop.call_later(there, self._arrive, message, answer)
        try:
            async with asyncio.timeout(SCAN_MAX if message.address.startswith("scan") else CALL_MAX):
                return await answer
        except TimeoutError:
            return Unknown("no answer")

    def _arrive(self, message: OutboundMessage, answer: "asyncio.Future[Outcome]") -> None:
        world, process, chance = self._world, self._process, self._world.chance
        world.ambush(process, "send", before=True)
        if not process.alive and chance.random() > AFTER_DEATH:
            return
        outcome: Outcome | None
        if world.random_faults.failing and chance.random() < 0.02:
            world.random_faults.count["provider not reached"] += 1
            outcome = Deferred("connection refused")
        else:
            outcome = world.provider.take(self._name, message, world.rows.deliveries[message.delivery].epoch)
            world.note("the provider has {} attempt {}: {}", message.delivery, message.attempt, outcome)
        world.ambush(process, "send", before=False)
        if isinstance(outcome, Accepted) and world.random_faults.failing and chance.random() < 0.01:
            world.random_faults.count["provider answer lost"] += 1
            process.troubled()
        elif outcome is not None:
            world.loop.call_later(world.provider.latency(message), self._answer, answer, outcome)

    def _answer(self, answer: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
        if (frozen := self._process.frozen_until - self._world.loop.time()) > 0 and self._process.alive:
            self._world.loop.call_later(frozen, self._answer, answer, outcome)
        elif not answer.done() and self._process.alive:
            answer.set_result(outcome)
