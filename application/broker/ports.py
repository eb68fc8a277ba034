"""RabbitMQ as the use cases see it: publish with confirms, publish later, consume with acks.

Adapters: `adapters/rabbitmq` and, in process, `adapters/memory`.  Both pass tests/contract/broker.py.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import msgspec

LARGEST = 1024 * 1024
"""Bytes of a body that is kept, unless who subscribes says otherwise."""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One persistent message for one queue."""

    id: UUID
    queue: str
    body: bytes
    headers: dict[str, str] = {}
    delay: timedelta | None = None


class Published(msgspec.Struct, frozen=True):
    """What became of a batch; an id in neither list has an unknown outcome: publish it again."""

    confirmed: list[UUID]
    unroutable: list[UUID]


class Publisher(Protocol):
    """Publishes with confirms, `mandatory`, persistent."""

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        """Publish to queues, now; `delay` is not looked at.  Bounded in time (5 s).

        Raises:
            BrokerUnavailable: nothing can be published now (away, blocked, closed).
        """
        ...


class DelayedPublisher(Protocol):
    """Publishes for later; a message arrives at its queue never before its delay has passed."""

    async def publish_later(self, messages: Sequence[Outgoing]) -> Published:
        """As `Publisher.publish`, each message after its own `delay` (whole seconds, rounded up).

        Raises:
            BrokerUnavailable: as above.
        """
        ...


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One message in our hands until it is acked."""

    tag: int
    """Names it within its subscription."""
    body: bytes
    redelivered: bool = False
    headers: dict[str, object] = {}
    message_id: str | None = None
    correlation_id: str | None = None
    type: str | None = None
    content_type: str | None = None
    routing_key: str = ""
    cut: int = 0
    """Bytes of what was too large to be kept: body and headers are empty then.  See `Subscription.refuse`."""


class Subscription(Protocol):
    """Messages of one queue.  What is not acked when it closes (or dies) is delivered again."""

    async def take(self, limit: int, size: int = LARGEST) -> list[Received]:
        """Wait for at least one message, return up to `limit` that are here.

        Args:
            size: of all their bodies, in bytes; one larger message comes alone.

        Raises:
            BrokerUnavailable: the subscription is lost; subscribe again.
        """
        ...

    async def ack(self, tags: Sequence[int]) -> None:
        """Done with these.

        Raises:
            BrokerUnavailable: the subscription is lost; they will be delivered again.
        """
        ...

    async def refuse(self, tags: Sequence[int]) -> None:
        """Leave these, whole, to the broker: into the dead letters of their queue.

        Raises:
            BrokerUnavailable: the subscription is lost; they will be delivered again.
        """
        ...

    async def close(self) -> None:
        """Stop and give back what is not acked.

        Each return counts against the queue's delivery limit: to rest for a while, keep the subscription and
        do not take.
        """
        ...


class Consumer(Protocol):
    """Opens subscriptions."""

    async def subscribe(self, queue: str, prefetch: int, largest: int = LARGEST) -> Subscription:
        """Consume a queue with at most `prefetch` messages unacked.

        A broker counts messages, not bytes: `prefetch` of the `largest` size is what may have to be kept.

        Args:
            largest: bytes of a body; of a larger one only its size is told (`Received.cut`).

        Raises:
            BrokerUnavailable: not now.
        """
        ...


class QueueSizes(Protocol):
    """How much waits."""

    async def size(self, queue: str) -> int:
        """Messages in a queue that are in nobody's hands.

        Raises:
            NotFound: no such queue.
            BrokerUnavailable: not now.
        """
        ...


class OutgoingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as a shop's service publishes it."""

    routing_key: str
    body: bytes
    headers: dict[str, str] = {}
    message_id: str | None = None
    correlation_id: str | None = None
    type: str | None = None
    content_type: str | None = None


class EventPublisher(Protocol):
    """Publishes to one topic exchange, with confirms."""

    async def publish(self, event: OutgoingEvent) -> None:
        """Return when the broker has it; concurrent calls share the connection.

        Raises:
            BrokerUnavailable: not confirmed, or no queue takes it.
        """
        ...
