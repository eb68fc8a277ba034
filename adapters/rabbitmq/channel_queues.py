"""Makes the queues of a channel by AMQP, while everything runs.

What gives the broker its other parts (exchanges, policies, the ladder) is there for any channel already: the
policies go by patterns, and the bindings of dead letters name no channel.
"""

import asyncio
from collections.abc import Sequence

from aiormq.exceptions import AMQPChannelError, ChannelNotFoundEntity

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.faults import as_broker_unavailable
from adapters.rabbitmq.management_api import SETTLING
from adapters.rabbitmq.topology import DUE, lanes_of
from domain.kernel.errors import BrokerUnavailable
from domain.kernel.json_values import Json

MAKING_MAX = 15.0
"""Seconds for some thirty questions, one after the other."""


class RabbitChannelQueues:
    """Implements `ChannelQueues`.

    Args:
        settling: seconds after which queues that were just made keep what they confirm.
    """

    def __init__(self, connection: BrokerConnection, settling: float = SETTLING) -> None:
        self._connection = connection
        self._settling = settling

    async def make(self, channel: str) -> None:
        """See `ChannelQueues`."""
        queues, bindings = lanes_of(channel)
        with as_broker_unavailable("no answer about the lanes"):
            async with asyncio.timeout(MAKING_MAX):
                complete = await self._there(queues)
                await self._declare(queues, bindings)
        if not complete:
            await asyncio.sleep(self._settling)

    async def _there(self, queues: Sequence[Json]) -> bool:
        channel = await self._connection.channel()
        try:
            for queue in queues:
                await channel.queue_declare(queue["name"], passive=True)
        except ChannelNotFoundEntity:
            return False
        finally:
            self._connection.retire(channel, "looked")
        return True

    async def _declare(self, queues: Sequence[Json], bindings: Sequence[Json]) -> None:
        channel = await self._connection.channel()
        try:
            for queue in queues:
                await channel.queue_declare(queue["name"], durable=True, arguments=queue["arguments"])
            for binding in bindings:
                await channel.queue_bind(
                    binding["destination"], binding["source"], routing_key=binding["routing_key"]
                )
        except ChannelNotFoundEntity:
            raise BrokerUnavailable(f"exchange {DUE} is missing: run posthorn topology apply") from None
        except AMQPChannelError as refused:
            raise BrokerUnavailable(f"the broker does not make the lanes: {refused}") from None
        finally:
            self._connection.retire(channel, "made")
