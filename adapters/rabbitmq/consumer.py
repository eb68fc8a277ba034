"""Consuming: a channel for each subscription, with its own prefetch; what is not acked comes again."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aiormq import Channel, spec
from aiormq.abc import DeliveredMessage, FrameType

from adapters.rabbitmq import oversized
from adapters.rabbitmq.channels import is_open, write_frames
from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.faults import Unsendable, as_broker_unavailable, closing_reason
from adapters.rabbitmq.socket_connection import CLOSE_MAX
from application.broker.ports import LARGEST, Received
from application.broker.sizes import take_within
from domain.kernel.errors import BrokerUnavailable

SUBSCRIBE_MAX = 5.0  # seconds
ACK_MAX = 5.0  # seconds until the socket must have taken acks
CANCELLED = "the broker cancelled the consumer: its queue is gone or moved, or an ack took too long"


class RabbitSubscription:
    """Implements `Subscription`; lost with its connection, its channel, or when the broker cancels it."""

    def __init__(self, connection: BrokerConnection, channel: Channel) -> None:
        self.lost: str | None = None
        self._connection = connection
        self._channel = channel
        self._here: deque[Received] = deque()
        self._news = asyncio.Event()
        self._acked_to = 0
        self._acked_above: set[int] = set()
        self._delivered = 0
        channel.closing.add_done_callback(lambda closing: self._lose(closing_reason(closing)))
        channel.on_consumer_cancel_callbacks.add(self._cancelled)

    async def take(self, limit: int, size: int = LARGEST) -> list[Received]:
        """See `Subscription`.  May be cancelled: what it has not returned waits for the next call."""
        while not self._here:
            self._check()
            self._news.clear()
            await self._news.wait()
        self._check()
        return take_within(self._here, limit, size)

    async def ack(self, tags: Sequence[int]) -> None:
        """See `Subscription`.  A tag acked twice is acked once (the broker would close the channel)."""
        await self._end(tags, self._acks)

    async def refuse(self, tags: Sequence[int]) -> None:
        """See `Subscription`."""
        await self._end(tags, self._rejects)

    async def _end(self, tags: Sequence[int], how: Callable[[list[int]], Iterator[FrameType]]) -> None:
        self._check()
        try:
            with as_broker_unavailable("the broker does not take acks"):
                async with asyncio.timeout(ACK_MAX), self._channel.lock:
                    if frames := list(how(self._fresh(tags))):
                        await (await write_frames(self._channel, frames))
        except BaseException as fault:
            if not isinstance(fault, Unsendable):  # whether they have gone out is not known
                self.give_up(str(fault) or "acks were given up")
            raise

    async def close(self) -> None:
        """See `Subscription`."""
        self._lose("closed")
        await asyncio.wait({self._connection.retire(self._channel, "closed")}, timeout=CLOSE_MAX)

    async def on_message(self, message: DeliveredMessage) -> None:
        """Called by aiormq, in a task for each message, in their order."""
        if self.lost is not None:
            return
        delivery: Any = message.delivery  # a Basic.Deliver, whose fields pamqp declares as optional
        properties = message.header.properties
        cut = oversized.cut(message)
        headers: dict[str, Any] = {} if cut else properties.headers or {}  # AMQP values
        self._delivered = delivery.delivery_tag
        self._here.append(
            Received(
                tag=delivery.delivery_tag,
                body=message.body,
                redelivered=delivery.redelivered,
                headers=headers,
                message_id=properties.message_id,
                correlation_id=properties.correlation_id,
                type=properties.message_type,
                content_type=properties.content_type,
                routing_key=delivery.routing_key,
                cut=cut,
            )
        )
        self._news.set()

    def _fresh(self, tags: Sequence[int]) -> list[int]:
        """Those that are not ended yet, in order; they count as ended from now on."""
        fresh = [tag for tag in sorted(set(tags)) if tag > self._acked_to and tag not in self._acked_above]
        if fresh and fresh[-1] > self._delivered:
            raise Unsendable(f"tag {fresh[-1]} was never delivered")
        self._acked_above.update(fresh)
        while self._acked_to + 1 in self._acked_above:
            self._acked_to += 1
            self._acked_above.remove(self._acked_to)
        return fresh

    def _acks(self, fresh: list[int]) -> Iterator[FrameType]:
        """One `multiple` for what closes up with the acked ones, single acks for what lies above a gap.

        The broker knows the last tag of a `multiple` only while it is unacked, so that is one of `tags`.
        """
        joined = bisect_right(fresh, self._acked_to)
        if joined:
            yield spec.Basic.Ack(fresh[joined - 1], multiple=True)
        for tag in fresh[joined:]:
            yield spec.Basic.Ack(tag)

    def _rejects(self, fresh: list[int]) -> Iterator[FrameType]:
        for tag in fresh:
            yield spec.Basic.Reject(tag, requeue=False)

    def _check(self) -> None:
        if self.lost is None and not is_open(self._channel):
            self._lose("connection or channel lost")
        if self.lost is not None:
            raise BrokerUnavailable(self.lost)

    async def _cancelled(self, _: spec.Basic.Cancel) -> None:
        self.give_up(CANCELLED)

    def give_up(self, reason: str) -> None:
        """Lose it on purpose; the broker takes back what is not acked."""
        self._lose(reason)
        self._connection.retire(self._channel, reason)

    def _lose(self, reason: str) -> None:
        if self.lost is None:
            self.lost = reason
            self._here.clear()  # they are in the queue again: whoever takes them here would work them twice
            self._news.set()


class RabbitConsumer:
    """Implements `Consumer`."""

    def __init__(self, connection: BrokerConnection) -> None:
        self._connection = connection

    async def subscribe(self, queue: str, prefetch: int, largest: int = LARGEST) -> RabbitSubscription:
        """See `Consumer`.  The queue must exist: `posthorn topology apply` makes it."""
        subscription = None
        try:
            with as_broker_unavailable(f"no answer to consuming {queue} in {SUBSCRIBE_MAX:.0f} s"):
                async with asyncio.timeout(SUBSCRIBE_MAX):
                    channel = await self._connection.channel()
                    oversized.install(channel, largest)
                    subscription = RabbitSubscription(self._connection, channel)
                    await channel.basic_qos(prefetch_count=prefetch)
                    await channel.basic_consume(queue, subscription.on_message)
        except BaseException:
            if subscription is not None:
                subscription.give_up("not consuming")
            raise
        return subscription
