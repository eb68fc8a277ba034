"""Queues in process: messages go in order, to consumers in turn, and return when a consumer goes."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from application.broker.ports import LARGEST, OutgoingEvent, Received
from application.broker.sizes import take_within
from domain.kernel.errors import BrokerUnavailable
from domain.kernel.json_values import Json

OVERHEAD = 1024
"""Bytes that a message costs beside its body, roughly."""


class QueuedMessage(msgspec.Struct):
    """One message of one queue; `deliveries` are those that were not acked."""

    key: str
    event: OutgoingEvent
    deliveries: int = 0

    @property
    def size(self) -> int:
        """Bytes, roughly."""
        return OVERHEAD + len(self.event.body)

    def received(self, tag: int) -> Received:
        """As its consumer sees it."""
        again: dict[str, object] = {"x-delivery-count": self.deliveries} if self.deliveries else {}
        return Received(
            tag=tag,
            body=self.event.body,
            redelivered=self.deliveries > 0,
            headers={**self.event.headers, **again},
            message_id=self.event.message_id,
            correlation_id=self.event.correlation_id,
            type=self.event.type,
            content_type=self.event.content_type,
            routing_key=self.key,
        )


class MemoryQueue:
    """One queue.

    Args:
        policy: its policy's definition: `delivery-limit`, `dead-letter-exchange`.
        die: what becomes of a message that was given back too often: exchange, message.
    """

    def __init__(
        self, name: str, policy: Mapping[str, Json], die: Callable[[str, QueuedMessage], None]
    ) -> None:
        self.name = name
        self.held = 0
        self._limit = policy.get("delivery-limit")
        self._dead_letters_to = policy.get("dead-letter-exchange")
        self._die = die
        self._ready: deque[QueuedMessage] = deque()
        self._consumers: deque[MemorySubscription] = deque()

    @property
    def depth(self) -> int:
        """Messages here, unacked ones included."""
        return len(self._ready) + sum(consumer.unacked for consumer in self._consumers)

    @property
    def waiting(self) -> int:
        """Messages that are ready: no consumer has them."""
        return len(self._ready)

    def push(self, message: QueuedMessage) -> None:
        """Add a message at the end."""
        self.held += message.size
        self._ready.append(message)
        self.serve()

    def subscribe(self, prefetch: int, largest: int) -> "MemorySubscription":
        """A new consumer, in turn with the others."""
        consumer = MemorySubscription(self, prefetch, largest)
        self._consumers.append(consumer)
        self.serve()
        return consumer

    def serve(self) -> None:
        """Deliver as many messages as the consumers' prefetch allows."""
        full = 0
        while self._ready and full < len(self._consumers):
            consumer = self._consumers[0]
            self._consumers.rotate(-1)
            if consumer.has_room:
                consumer.deliver(self._ready.popleft())
                full = 0
            else:
                full += 1

    def done(self, messages: Sequence[QueuedMessage]) -> None:
        """Acked: forget them."""
        self.held -= sum(message.size for message in messages)
        self.serve()

    def refuse(self, messages: Sequence[QueuedMessage]) -> None:
        """Dead-letter them, however often they were delivered."""
        for message in messages:
            self._dead_letter(message, "rejected")
        self.serve()

    def leave(self, consumer: "MemorySubscription", unacked: Sequence[QueuedMessage]) -> None:
        """A consumer goes: its unacked messages return to the front, or are dead-lettered at the limit."""
        with suppress(ValueError):  # all were lost at once
            self._consumers.remove(consumer)
        kept = []
        for message in unacked:
            message.deliveries += 1
            if self._limit is not None and message.deliveries > self._limit:
                self._dead_letter(message, "delivery_limit")
            else:
                kept.append(message)
        self._ready.extendleft(reversed(kept))
        self.serve()

    def drop(self, reason: str) -> None:
        """Lose all consumers."""
        lost, self._consumers = self._consumers, deque()  # all at once: none inherits from another
        for consumer in lost:
            consumer.lose(reason)

    def _dead_letter(self, message: QueuedMessage, reason: str) -> None:
        self.held -= message.size
        if self._dead_letters_to is not None:
            how = {"x-first-death-reason": reason, "x-first-death-queue": self.name}
            event = msgspec.structs.replace(message.event, headers={**message.event.headers, **how})
            self._die(self._dead_letters_to, QueuedMessage(message.key, event))


class MemorySubscription:
    """Implements `Subscription`."""

    def __init__(self, queue: MemoryQueue, prefetch: int, largest: int) -> None:
        self._queue = queue
        self._prefetch = prefetch
        self._largest = largest
        self._tag = 0
        self._here: deque[Received] = deque()
        self._unacked: dict[int, QueuedMessage] = {}
        self._news = asyncio.Event()
        self._lost: str | None = None

    @property
    def unacked(self) -> int:
        """How many messages are unacked."""
        return len(self._unacked)

    @property
    def has_room(self) -> bool:
        """Whether less than the prefetch is unacked; a prefetch of 0 is without limit."""
        return not self._prefetch or len(self._unacked) < self._prefetch

    async def take(self, limit: int, size: int = LARGEST) -> list[Received]:
        """See `Subscription`.  May be cancelled: what it has not returned waits for the next call."""
        while not self._here:
            self._check()
            self._news.clear()
            await self._news.wait()
        self._check()
        return take_within(self._here, limit, size)

    async def ack(self, tags: Sequence[int]) -> None:
        """See `Subscription`.  A tag acked twice is acked once."""
        self._check()
        if any(tag > self._tag for tag in tags):
            raise ValueError(f"tag {max(tags)} was never delivered")
        self._queue.done([self._unacked.pop(tag) for tag in set(tags) if tag in self._unacked])

    async def refuse(self, tags: Sequence[int]) -> None:
        """See `Subscription`."""
        self._check()
        self._queue.refuse([self._unacked.pop(tag) for tag in tags if tag in self._unacked])

    async def close(self) -> None:
        """See `Subscription`."""
        self.lose("closed")

    def deliver(self, message: QueuedMessage) -> None:
        """A message from the queue."""
        self._tag += 1
        self._unacked[self._tag] = message
        received = message.received(self._tag)
        if (size := len(received.body)) > self._largest:
            received = msgspec.structs.replace(received, body=b"", headers={}, cut=size)
        self._here.append(received)
        self._news.set()

    def lose(self, reason: str) -> None:
        """End it, with a reason."""
        if self._lost is None:
            self._lost = reason
            self._here.clear()
            self._news.set()
            unacked, self._unacked = list(self._unacked.values()), {}
            self._queue.leave(self, unacked)

    def _check(self) -> None:
        if self._lost is not None:
            raise BrokerUnavailable(self._lost)
