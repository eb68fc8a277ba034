"""The broker in process: embedded mode's, and the tests'.

It loads the definitions that RabbitMQ loads and keeps RabbitMQ's promises but one: what it holds ends with
the process, and is issued again from the rows at the next start.  What it may hold is bounded: when full it
refuses publishers, as a broker short of memory does, and their messages stay in the outbox.
"""

import asyncio
import heapq
import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import count

from adapters.memory.queues import MemoryQueue, MemorySubscription, QueuedMessage
from adapters.memory.routing import Definitions, Routes
from application.broker.ports import LARGEST, Outgoing, OutgoingEvent, Published
from application.kernel.ports import Clock
from domain.kernel.channel import Lane, lanes
from domain.kernel.errors import BrokerUnavailable, NotFound

MEMORY_MAX = 256 * 1024 * 1024
"""Bytes; some 150,000 full pointer messages, so 15,000,000 deliveries waiting."""
DUE = "due"
ID_HEADER = "x-posthorn-id"


class MemoryBroker:
    """Implements `Publisher`, `DelayedPublisher`, `Consumer`, `QueueSizes`, `ChannelQueues`; for one loop."""

    def __init__(self, definitions: Definitions, clock: Clock, *, memory_max: int = MEMORY_MAX) -> None:
        self._routes = Routes(definitions)
        self._queues = {
            item["name"]: MemoryQueue(item["name"], self._routes.policy(item["name"]), self._die)
            for item in definitions["queues"]
        }
        self._clock = clock
        self._memory_max = memory_max
        self._delayed: list[tuple[float, int, QueuedMessage]] = []
        self._delayed_bytes = 0
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def connected(self) -> bool:
        """Until it is closed."""
        return not self._closed

    @property
    def blocked(self) -> str | None:
        """Why it takes nothing from publishers now; None when it does."""
        held = self._delayed_bytes + sum(queue.held for queue in self._queues.values())
        return f"holds {held >> 20} MiB, the most it may" if held >= self._memory_max else None

    def depth(self, queue: str) -> int:
        """Messages in a queue, those in somebody's hands included.

        Raises:
            KeyError: no such queue.
        """
        return self._queues[queue].depth

    async def size(self, queue: str) -> int:
        """See `QueueSizes`."""
        await self._ready(publishing=False)
        if queue not in self._queues:
            raise NotFound(f"no queue {queue}")
        return self._queues[queue].waiting

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        """See `Publisher`."""
        await self._ready()
        published = Published([], [])
        for message in messages:
            taken = self._push([message.queue], _message(message, message.queue))
            (published.confirmed if taken else published.unroutable).append(message.id)
        return published

    async def publish_later(self, messages: Sequence[Outgoing]) -> Published:
        """See `DelayedPublisher`.  A lane that is missing when the time has come: queue `delay.parked`.

        Raises:
            ValueError: to a queue that is no lane.
        """
        await self._ready()
        published = Published([], [])
        now = self._clock.monotonic()
        for message in messages:
            seconds = math.ceil((message.delay or timedelta()) / timedelta(seconds=1))
            if seconds > 0:
                lane = Lane.parse(message.queue)
                later = _message(message, f"{lane.channel}.{lane.word}")
                heapq.heappush(self._delayed, (now + seconds, next(self._numbers), later))
                self._delayed_bytes += later.size
            elif not self._push([message.queue], _message(message, message.queue)):
                published.unroutable.append(message.id)
                continue
            published.confirmed.append(message.id)
        self.release()
        return published

    async def emit(self, exchange: str, event: OutgoingEvent) -> None:
        """Publish to an exchange; see `EventPublisher`."""
        await self._ready()
        if not self._push(
            self._routes.queues(exchange, event.routing_key), QueuedMessage(event.routing_key, event)
        ):
            raise BrokerUnavailable(f"no queue takes {event.routing_key} from exchange {exchange}")

    async def subscribe(self, queue: str, prefetch: int, largest: int = LARGEST) -> MemorySubscription:
        """See `Consumer`."""
        await self._ready(publishing=False)
        if queue not in self._queues:
            raise BrokerUnavailable(f"no queue {queue}")
        return self._queues[queue].subscribe(prefetch, largest)

    async def make(self, channel: str) -> None:
        """See `ChannelQueues`."""
        made = lanes([channel])
        for lane in made:
            self._routes.bind(DUE, lane.queue, f"{lane.channel}.{lane.word}.#")
            for name in (lane.queue, lane.dead):
                if name not in self._queues:
                    self._queues[name] = MemoryQueue(name, self._routes.policy(name), self._die)

    def release(self) -> None:
        """Deliver what is due.  A timer calls this; a test that moves a virtual clock calls it afterwards."""
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, _, message = heapq.heappop(self._delayed)
            self._delayed_bytes -= message.size
            self._push(self._routes.queues(DUE, message.key), message)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._delayed and not self._closed:
            # A little late rather than early: loops round, and look again when they were early.
            wait = self._delayed[0][0] - now + 0.001
            self._timer = asyncio.get_running_loop().call_later(wait, self.release)

    def drop(self, reason: str = "connection lost") -> None:
        """As when a network fails: all subscriptions are lost, and what is not acked comes again."""
        for queue in self._queues.values():
            queue.drop(reason)

    async def close(self) -> None:
        """Refuse everything from now on, and end the subscriptions."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.drop("closed")

    async def _ready(self, *, publishing: bool = True) -> None:
        await asyncio.sleep(0)  # let others work, as publishing on a socket does
        if self._closed:
            raise BrokerUnavailable("closed")
        if publishing and self.blocked:
            raise BrokerUnavailable(f"the broker blocks publishers: it {self.blocked}")

    def _push(self, names: Iterable[str], message: QueuedMessage) -> bool:
        """Put a message into those of the queues that exist; False when there is none."""
        queues = [self._queues[name] for name in names if name in self._queues]
        for queue in queues:
            queue.push(QueuedMessage(message.key, message.event))
        return bool(queues)

    def _die(self, exchange: str, message: QueuedMessage) -> None:
        self._push(self._routes.queues(exchange, message.key), message)


class MemoryEvents:
    """Implements `EventPublisher` for one exchange."""

    def __init__(self, broker: MemoryBroker, exchange: str) -> None:
        self._broker = broker
        self._exchange = exchange

    async def publish(self, event: OutgoingEvent) -> None:
        """See `EventPublisher`."""
        await self._broker.emit(self._exchange, event)


def _message(message: Outgoing, key: str) -> QueuedMessage:
    headers = {ID_HEADER: str(message.id), **message.headers}
    return QueuedMessage(key, OutgoingEvent(routing_key=key, body=message.body, headers=headers))
