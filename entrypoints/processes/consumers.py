"""The consumers of a process, by queue: shop events, the intake, what the broker gave up."""

from collections.abc import Awaitable, Callable, Sequence

from application.event.result import Result
from application.intake.command import INTAKE
from application.intake.publish import MESSAGE_MAX
from application.outbox.dispatch import RETURNED
from config.container import Container
from domain.trigger.trigger import ShopEvent
from entrypoints.amqp.cloudevents import SIZE_MAX
from entrypoints.amqp.intake import IntakeBatches
from entrypoints.amqp.parking import CRITICAL, ORDINARY
from entrypoints.amqp.returned import ReturnedBatches
from entrypoints.amqp.shop_events import EventBatches
from entrypoints.engine.consumer.batch_consumer import BatchConsumer

Handle = Callable[[Sequence[ShopEvent]], Awaitable[Sequence[Result]]]
Probe = Callable[[], Awaitable[object]]
"""Returns when the database answers, else raises `StoreUnavailable`."""


def shop_event_consumers(
    container: Container, probe: Probe, handle: Handle | None = None
) -> list[BatchConsumer]:
    """One for each queue of shop events, so that critical ones never wait behind others.

    Args:
        handle: in place of `HandleEvents`.
    """
    batches = EventBatches(
        handle=handle or container.event.handle(),
        publisher=container.broker.publisher(),
        ids=container.kernel.ids(),
        telemetry=container.kernel.telemetry(),
    )
    return [
        BatchConsumer(
            name=queue,
            consumer=container.broker.consumer(),
            batches=batches,
            clock=container.kernel.clock(),
            probe=probe,
            largest=SIZE_MAX,
        )
        for queue in (CRITICAL, ORDINARY)
    ]


def intake_consumer(container: Container, probe: Probe) -> BatchConsumer:
    """Commits what was accepted on the broker while the database was away."""
    batches = IntakeBatches(
        commit_intake=container.intake.commit_intake(),
        publisher=container.broker.publisher(),
        ids=container.kernel.ids(),
        telemetry=container.kernel.telemetry(),
    )
    return BatchConsumer(
        name=INTAKE,
        consumer=container.broker.consumer(),
        batches=batches,
        clock=container.kernel.clock(),
        probe=probe,
        does=INTAKE,
        batches_max=2,
        largest=MESSAGE_MAX,
    )


def returned_consumer(container: Container, probe: Probe) -> BatchConsumer:
    """Gives up the deliveries of messages that the broker gave up."""
    batches = ReturnedBatches(
        give_up=container.dead_letter.give_up(),
        publisher=container.broker.publisher(),
        ids=container.kernel.ids(),
        telemetry=container.kernel.telemetry(),
    )
    return BatchConsumer(
        name=RETURNED,
        consumer=container.broker.consumer(),
        batches=batches,
        clock=container.kernel.clock(),
        probe=probe,
        does="returned",
        batches_max=1,
    )
