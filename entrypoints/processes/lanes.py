"""The delivery actors of a process: those of live lanes, and those of the lanes of test keys."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from application.outbox.dispatch import RETURNED
from application.outbox.ports import Handoff
from config.container import Container
from config.settings import Settings
from domain.kernel.channel import Lane, Mode, Priority
from entrypoints.amqp.returned import ReturnedBatches
from entrypoints.engine.actor import Actor
from entrypoints.engine.consumer.batch_consumer import BatchConsumer
from entrypoints.engine.lane.actor import LaneActor
from entrypoints.engine.lane.capacity import ProviderCapacity
from entrypoints.engine.lane.fair_share import FairSemaphore
from entrypoints.engine.lane.services import LaneServices
from entrypoints.engine.lane.settler import Settler


def lane_actors(container: Container, handoff: Handoff) -> Sequence[Actor]:
    """One for each lane of this process."""
    settings = container.settings()
    live = _services(container, handoff)
    channels = settings.engine.channels or settings.accepting.channels
    priorities = [Priority.of(label) for label in settings.engine.priorities]
    actors = [LaneActor(lane=Lane(each, p), services=live) for p in priorities for each in channels]
    if settings.engine.test_slots:
        test = _for_test_keys(live, settings)
        tested = [Lane(each, Priority.LOW, Mode.TEST) for each in channels]
        actors += [LaneActor(lane=lane, services=test) for lane in tested]
    return actors


def returned(container: Container, probe: Callable[[], Awaitable[object]]) -> BatchConsumer:
    """The consumer of messages that the broker gave up."""
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


def _services(container: Container, handoff: Handoff) -> LaneServices:
    settings, telemetry = container.settings(), container.kernel.telemetry()
    weights = settings.engine.weights.by_priority()
    return LaneServices(
        consumer=container.broker.consumer(),
        publisher=container.broker.publisher(),
        begin=container.delivery.begin(),
        call=container.delivery.call(),
        probe=container.delivery.probe(),
        reissue=container.delivery.reissue(),
        give_up=container.dead_letter.give_up(),
        settler=Settler(deliveries=container.delivery.deliveries(), handoff=handoff, telemetry=telemetry),
        in_work=FairSemaphore(total=settings.engine.slots, reserve=settings.engine.reserve, weights=weights),
        ids=container.kernel.ids(),
        telemetry=telemetry,
        prefetch=settings.engine.prefetch,
        capacity={
            name: ProviderCapacity(pool=calls_max, weights=weights)
            for name, provider in settings.providers.items()
            if (calls_max := provider.calls_max) is not None
        },
    )


def _for_test_keys(live: LaneServices, settings: Settings) -> LaneServices:
    """The same with permits, prefetch and quarantine of their own: no live delivery waits for a test."""
    return replace(
        live,
        in_work=FairSemaphore(
            total=settings.engine.test_slots, weights=settings.engine.weights.by_priority()
        ),
        prefetch=min(settings.engine.prefetch, settings.engine.test_slots),
        quarantine=asyncio.Lock(),
        capacity={},
    )
