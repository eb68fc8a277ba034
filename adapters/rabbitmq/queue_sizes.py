"""How many messages are ready in a queue, as the broker counts them."""

import asyncio

from aiormq import ChannelNotFoundEntity

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.faults import as_broker_unavailable
from domain.kernel.errors import NotFound

ASK_MAX = 5.0  # seconds


class RabbitQueueSizes:
    """Implements `QueueSizes`: by declaring passively."""

    def __init__(self, connection: BrokerConnection) -> None:
        self._connection = connection

    async def size(self, queue: str) -> int:
        """See `QueueSizes`."""
        with as_broker_unavailable(f"no answer to asking for {queue} in {ASK_MAX:.0f} s"):
            async with asyncio.timeout(ASK_MAX):
                channel = await self._connection.channel()
                try:
                    declared = await channel.queue_declare(queue, passive=True)
                except ChannelNotFoundEntity:
                    raise NotFound(
                        f"no queue {queue}: `posthorn topology apply` makes those of the channels"
                    ) from None
                finally:
                    self._connection.retire(channel, "asked")
        return declared.message_count or 0
