"""Publishing events to an exchange: what a shop does, and the demo, tests and benchmarks in its place."""

import asyncio
from uuid import UUID
from weakref import WeakValueDictionary

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.publisher import PUBLISH_MAX, ConfirmingPublisher, RoutedMessage
from application.broker.ports import OutgoingEvent
from domain.kernel.errors import BrokerUnavailable

_NO_ID = UUID(int=0)


class RabbitEventPublisher:
    """Implements `EventPublisher` for one topic exchange."""

    def __init__(self, connection: BrokerConnection, exchange: str) -> None:
        self._confirmed = ConfirmingPublisher(connection)
        self._exchange = exchange
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def publish(self, event: OutgoingEvent) -> None:
        """See `EventPublisher`.  Events of one message id take turns: returns are told apart by it."""
        routed = RoutedMessage(
            id=_NO_ID,
            exchange=self._exchange,
            key=event.routing_key,
            body=event.body,
            headers=event.headers,
            message_id=event.message_id,
            correlation_id=event.correlation_id,
            type=event.type,
            content_type=event.content_type,
        )
        turn = asyncio.Lock()
        if event.message_id:
            turn = self._turns.setdefault(event.message_id, turn)
        try:
            async with asyncio.timeout(PUBLISH_MAX), turn:
                published = await self._confirmed.publish([routed])
        except TimeoutError as fault:
            raise BrokerUnavailable(f"the broker did not confirm within {PUBLISH_MAX:.0f} s") from fault
        if published.unroutable:
            raise BrokerUnavailable(f"no queue takes {event.routing_key} from exchange {self._exchange}")
