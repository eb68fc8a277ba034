"""Batches of shop events: handled together, then each is acked, parked or kept for another try."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from application.broker.ports import Publisher, Received, Subscription
from application.event.result import Done, Result
from application.kernel.ports import Ids
from domain.kernel.errors import Undecodable
from domain.trigger.trigger import ShopEvent
from entrypoints.amqp.cloudevents import decode
from entrypoints.amqp.parking import PARKED, parked, restored
from entrypoints.engine.consumer.disposition import Park, disposition
from entrypoints.engine.consumer.finish import Ended, Worked, finish
from entrypoints.engine.consumer.telemetry import EventTelemetry, TypeLabels
from entrypoints.engine.telemetry import trace_ids


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """One message, and the event in it if it could be read."""

    message: Received
    event: ShopEvent | Undecodable

    @classmethod
    def read(cls, message: Received) -> "ReadMessage":
        """Decode a message; one that cannot be read carries the reason instead of an event."""
        original = restored(message)
        try:
            return cls(original, decode(original))
        except Undecodable as fault:
            return cls(original, fault)

    @property
    def type(self) -> str:
        """The event's type, for labels."""
        return self.event.type if isinstance(self.event, ShopEvent) else "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatches:
    """Works on batches of all queues of a process.

    Args:
        handle: `HandleEvents`.
    """

    handle: Callable[[Sequence[ShopEvent]], Awaitable[Sequence[Result]]]
    publisher: Publisher
    ids: Ids
    telemetry: EventTelemetry
    labels: TypeLabels = field(default_factory=TypeLabels)

    async def work(self, queue: str, subscription: Subscription, messages: Sequence[Received]) -> Worked:
        """Handle; ack what is done; park and ack what cannot be processed.

        Raises:
            BrokerUnavailable: an ack was lost: these come again, and are absorbed.
        """
        items = [ReadMessage.read(message) for message in messages]
        outcomes = await self._outcomes(items)
        counts = Counter(notifications=sum(o.accepted for o in outcomes if isinstance(o, Done)))

        async def ack(ended: Ended[ReadMessage]) -> None:
            await subscription.ack([item.message.tag for item, _ in ended])
            labelled = Counter((self.labels(item.type), v.label) for item, v in ended)
            for (type_, label), count in labelled.items():
                self.telemetry.event(type_, label, count)
                counts[label] += count

        left = await finish(
            [(item, disposition(outcome)) for item, outcome in zip(items, outcomes, strict=True)],
            publisher=self.publisher,
            ack=ack,
            park=lambda item, park: parked(item.message, queue, park.reason, to=PARKED, ids=self.ids),
            report=lambda item, park: self._report(queue, item, park),
        )
        return Worked(
            left=[(item.message, v) for item, v in left],
            counts=counts,
            traces=trace_ids(item.event.traceparent for item in items if isinstance(item.event, ShopEvent)),
        )

    async def _outcomes(self, items: Sequence[ReadMessage]) -> list[Result | Exception]:
        events = [item.event for item in items if isinstance(item.event, ShopEvent)]
        results = iter(await self._handled(events) if events else ())
        outcomes = [next(results) if isinstance(item.event, ShopEvent) else item.event for item in items]
        kept_out = Counter(f.code for o in outcomes if isinstance(o, Done) for f in o.kept_out)
        for code, count in kept_out.items():
            self.telemetry.kept_out(code, count)
        return outcomes

    async def _handled(self, events: Sequence[ShopEvent]) -> Sequence[Result | Exception]:
        """Handle all together; when that crashes, one by one, so that only the cause of it fails."""
        try:
            return await self.handle(events)
        except Exception as crash:  # noqa: BLE001  a fault of our own must not stop the queue
            if len(events) == 1:
                return [crash]
            return [(await self._handled([event]))[0] for event in events]

    def _report(self, queue: str, item: ReadMessage, park: Park) -> None:
        event = item.event if isinstance(item.event, ShopEvent) else None
        self.telemetry.trouble(
            "event.parked",
            queue=queue,
            type=self.labels(item.type),
            event_id=event.id if event else item.message.message_id,
            correlation_id=event.correlation_id if event else item.message.correlation_id,
            reason=park.hint,
            alert=park.crash is not None,
            exc_info=park.crash,
        )
