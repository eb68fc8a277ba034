"""Publishing with confirms: the batch's confirms are awaited together, returns are told apart."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import aio_pika
import msgspec
from aiormq import Channel, DeliveryError, PublishError, spec
from aiormq.abc import FrameType
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from adapters.rabbitmq.channels import is_open, write_frames
from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.faults import Unsendable, as_broker_unavailable, as_unsendable, reason_of
from application.broker.ports import Outgoing, Published
from domain.kernel.errors import BrokerUnavailable

PUBLISH_MAX = 5.0
"""Seconds for one batch, a new channel and the broker's confirms included."""
CHUNK, CHUNK_BYTES = 100, 1 << 20  # messages written between two looks at the socket
UNCONFIRMED_MAX = 100_000  # a queue without a majority never confirms: do not keep count for ever
BODY_MAX = 4 * 1024 * 1024  # brokers refuse more than 16 MiB by closing the channel, on everyone
HEADERS_MAX = 16_384  # characters; all headers stand in one frame, and a longer one costs the connection
ID_HEADER = "x-posthorn-id"
"""Header with `Outgoing.id`; the AMQP message id is fresh for each publish: returns are told apart by it."""


class RoutedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message with its way; `id` names it in the result.

    No two of the same `message_id` may be under way at a time.
    """

    id: UUID
    exchange: str
    key: str
    body: bytes
    headers: Mapping[str, str | int] = {}
    message_id: str | None = None
    correlation_id: str | None = None
    type: str | None = None
    content_type: str | None = None
    mandatory: bool = True


class _Batch:
    """Messages published together on one channel, and what becomes of them."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._sent: list[tuple[UUID, str, asyncio.Future[object]]] = []

    async def write(self, messages: Sequence[tuple[str, RoutedMessage]]) -> None:
        """Write messages, each with its message id.

        aiormq's `basic_publish` costs a task, a lock and a wait for the socket per message; this does for all
        at once what that does for one (docs/decisions/0003-amqp-client.md).
        """
        channel = self._channel
        size = channel.max_content_size
        with as_unsendable():
            frames = [frame for name, message in messages for frame in _frames(name, message, size)]
        async with channel.lock:
            taken = await write_frames(channel, frames)
            # No await between queueing and counting: the broker counts what it is sent, in that order.
            for name, message in messages:
                channel.delivery_tag += 1
                confirmation = channel.create_future()
                channel.confirmations[channel.delivery_tag] = confirmation
                channel.message_id_delivery_tag[name] = channel.delivery_tag
                self._sent.append((message.id, name, confirmation))
            await taken

    async def confirmed(self) -> None:
        """Wait for the broker's word on every message."""
        await asyncio.wait([confirmation for _, _, confirmation in self._sent])

    def settle(self, published: Published) -> str | None:
        """Stop waiting and tell what is known; why the rest is in doubt, where the broker said so."""
        trouble = None
        for id_, name, confirmation in self._sent:
            self._channel.message_id_delivery_tag.pop(name, None)
            if confirmation.cancel() or confirmation.cancelled():
                continue
            fault = confirmation.exception()
            if fault is None:
                published.confirmed.append(id_)
            elif isinstance(fault, PublishError):
                published.unroutable.append(id_)
            elif isinstance(fault, DeliveryError):
                trouble = "the broker refused messages"
            else:
                trouble = reason_of(fault)
        return trouble


class ConfirmingPublisher:
    """Publishes batches on a channel of its own, made when it is needed and made anew when it is lost."""

    def __init__(
        self,
        link: BrokerConnection,
        *,
        publish_max: float = PUBLISH_MAX,
        unconfirmed_max: int = UNCONFIRMED_MAX,
    ) -> None:
        self._link = link
        self._publish_max, self._unconfirmed_max = publish_max, unconfirmed_max
        self._channel: Channel | None = None
        self._opening = asyncio.Lock()
        self._session = secrets.token_hex(6)
        self._serial = 0

    async def publish(self, messages: Sequence[RoutedMessage]) -> Published:
        """Publish and wait for all confirms, `publish_max` seconds at most.

        Raises:
            BrokerUnavailable: nothing is confirmed; some of it may have arrived.
            ValueError: a message is too large, or a name in it too long.
        """
        published = Published([], [])
        if not messages:
            return published
        batch: _Batch | None = None
        trouble = f"the broker did not confirm within {self._publish_max:.0f} s"
        try:
            with as_broker_unavailable(trouble):
                async with asyncio.timeout(self._publish_max):
                    batch = _Batch(await self._ready())
                    for chunk in _chunks(messages):
                        await batch.write([(one.message_id or self._fresh(), one) for one in chunk])
                    await batch.confirmed()
        except BrokerUnavailable as fault:
            trouble = str(fault)
        finally:
            if batch is not None:
                trouble = batch.settle(published) or trouble
        if not published.confirmed and not published.unroutable:
            raise BrokerUnavailable(trouble)
        return published

    async def _ready(self) -> Channel:
        if (alarm := self._link.blocked) is not None:
            raise BrokerUnavailable(f"the broker blocks publishers: {alarm}")
        async with self._opening:
            channel = self._channel
            if channel is not None and len(channel.confirmations) > self._unconfirmed_max:
                self._channel = None
                self._link.retire(channel, f"{len(channel.confirmations)} messages are not confirmed")
            if self._channel is None or not is_open(self._channel) or not self._link.connected:
                self._channel = None
                self._channel = await self._link.channel(confirms=True)
            return self._channel

    def _fresh(self) -> str:
        self._serial += 1
        return f"{self._session}-{self._serial}"


class RabbitPublisher:
    """Implements `Publisher`: to queues, by the default exchange."""

    def __init__(
        self,
        link: BrokerConnection,
        *,
        publish_max: float = PUBLISH_MAX,
        unconfirmed_max: int = UNCONFIRMED_MAX,
    ) -> None:
        self._confirmed = ConfirmingPublisher(link, publish_max=publish_max, unconfirmed_max=unconfirmed_max)

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        """See `Publisher`."""
        return await self._confirmed.publish([routed(message, "", message.queue) for message in messages])


def routed(message: Outgoing, exchange: str, key: str) -> RoutedMessage:
    """Give a message its way."""
    headers = {ID_HEADER: str(message.id), **message.headers}
    return RoutedMessage(id=message.id, exchange=exchange, key=key, body=message.body, headers=headers)


def _chunks(messages: Sequence[RoutedMessage]) -> Iterator[list[RoutedMessage]]:
    chunk: list[RoutedMessage] = []
    size = 0
    for message in messages:
        chunk.append(message)
        size += len(message.body)
        if len(chunk) >= CHUNK or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _frames(name: str, message: RoutedMessage, size: int) -> Iterator[FrameType]:
    body = message.body
    if len(body) > BODY_MAX:
        raise Unsendable(f"message {message.id} has {len(body)} bytes, at most {BODY_MAX} may be sent")
    if sum(len(key) + len(str(value)) for key, value in message.headers.items()) > HEADERS_MAX:
        raise Unsendable(f"message {message.id} has headers of more than {HEADERS_MAX} characters")
    for text in (message.exchange, message.key, message.message_id, message.correlation_id, message.type):
        if text and len(text.encode()) > 255:
            raise Unsendable(f"over 255 bytes: {text[:60]}…")
    properties = spec.Basic.Properties(
        content_type=message.content_type,
        headers=dict(message.headers) or None,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        correlation_id=message.correlation_id,
        message_id=name,
        message_type=message.type,
    )
    yield spec.Basic.Publish(exchange=message.exchange, routing_key=message.key, mandatory=message.mandatory)
    yield ContentHeader(body_size=len(body), properties=properties)
    size = size if size > 0 else len(body) or 1  # a broker without a limit says 0
    for at in range(0, len(body), size):
        yield ContentBody(body[at : at + size])
