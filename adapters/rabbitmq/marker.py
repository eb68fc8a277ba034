"""The marker on the broker: a durable quorum queue with one message in it.

The queue alone would not do: who sets a broker up anew from exported definitions gets it back, without the
messages of any queue.  A policy of ours keeps others that match all queues away from it.
"""

import asyncio
from uuid import UUID

from aiormq import Channel, spec
from aiormq.exceptions import ChannelNotFoundEntity

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.faults import as_broker_unavailable
from adapters.rabbitmq.publisher import RabbitPublisher
from application.broker.ports import Outgoing
from domain.kernel.errors import BrokerUnavailable

PREFIX = "posthorn.marker."
ANSWER_MAX = 5.0
"""Seconds for one look."""
WORDS = b"While this message stands here, Posthorn takes the data of this broker for whole: leave it."


class RabbitMarker:
    """Implements `BrokerMarker`."""

    def __init__(self, consuming: BrokerConnection, publishing: BrokerConnection) -> None:
        """`consuming` looks: a broker short of memory does not answer on connections that publish."""
        self._connection = consuming
        self._publisher = RabbitPublisher(publishing)

    async def exists(self, marker: UUID) -> bool:
        """See `BrokerMarker`."""
        with as_broker_unavailable("no answer about the marker"):
            async with asyncio.timeout(ANSWER_MAX):
                channel = await self._connection.channel()
                try:
                    return await _holds_message(channel, f"{PREFIX}{marker}")
                except ChannelNotFoundEntity:
                    return False
                finally:
                    self._connection.retire(channel, "looked")

    async def place(self, marker: UUID) -> None:
        """See `BrokerMarker`."""
        name = f"{PREFIX}{marker}"
        with as_broker_unavailable("the marker could not be made"):
            async with asyncio.timeout(ANSWER_MAX):
                channel = await self._connection.channel()
                try:
                    await channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
                finally:
                    self._connection.retire(channel, "declared")
        message = Outgoing(id=marker, queue=name, body=WORDS)
        if marker not in (await self._publisher.publish([message])).confirmed:
            raise BrokerUnavailable("the marker's message was not confirmed")

    async def remove(self, marker: UUID) -> None:
        """See `BrokerMarker`."""
        with as_broker_unavailable("the marker could not be taken away"):
            async with asyncio.timeout(ANSWER_MAX):
                channel = await self._connection.channel()
                try:
                    await channel.queue_delete(f"{PREFIX}{marker}")
                finally:
                    self._connection.retire(channel, "taken away")


async def _holds_message(channel: Channel, queue: str) -> bool:
    """A queue without a leader counts none, as when a broker has just started: only a `get` is sure of that.

    Raises:
        ChannelNotFoundEntity: no such queue.
    """
    declared = await channel.queue_declare(queue, passive=True)
    if declared.message_count:
        return True
    got = await channel.basic_get(queue)  # given back when the channel closes
    return isinstance(got.delivery, spec.Basic.GetOk)
