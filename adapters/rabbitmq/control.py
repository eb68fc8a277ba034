"""The control exchange: a fanout to one short-lived queue of each process."""

import asyncio
from uuid import UUID

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.consumer import SUBSCRIBE_MAX, RabbitSubscription
from adapters.rabbitmq.faults import as_broker_unavailable
from adapters.rabbitmq.publisher import ConfirmingPublisher, RoutedMessage
from adapters.rabbitmq.topology import CONTROL

PREFIX = "posthorn.control."
KEPT_MAX = 1_000
"""Messages of a queue whose process does not listen; the oldest go."""
_NO_ID = UUID(int=0)


class RabbitControl:
    """Implements `ControlExchange`.

    Args:
        process: names the queue.
    """

    def __init__(self, publishing: BrokerConnection, consuming: BrokerConnection, process: UUID) -> None:
        self._confirmed = ConfirmingPublisher(publishing)
        self._connection = consuming
        self._queue = f"{PREFIX}{process}"

    async def publish(self, body: bytes) -> None:
        """See `ControlExchange`."""
        routed = RoutedMessage(id=_NO_ID, exchange=CONTROL, key="", body=body, mandatory=False)
        await self._confirmed.publish([routed])

    async def subscribe(self) -> RabbitSubscription:
        """See `ControlExchange`."""
        subscription = None
        try:
            with as_broker_unavailable("no answer about the control queue"):
                async with asyncio.timeout(SUBSCRIBE_MAX):
                    channel = await self._connection.channel()
                    subscription = RabbitSubscription(self._connection, channel)
                    await channel.queue_declare(
                        self._queue, exclusive=True, auto_delete=True, arguments={"x-max-length": KEPT_MAX}
                    )
                    await channel.queue_bind(self._queue, CONTROL)
                    await channel.basic_qos(prefetch_count=KEPT_MAX)
                    await channel.basic_consume(self._queue, subscription.on_message)
        except BaseException:
            if subscription is not None:
                subscription.give_up("not consuming")
            raise
        return subscription
