"""The delivery actors of a process: those of live lanes, and those of the lanes of test keys."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from application.outbox.ports import Handoff
from config.container import Container
from config.settings import Settings
from domain.kernel.channel import Lane, Mode, Priority
from entrypoints.engine.actor import Actor
from entrypoints.engine.lane.actor import LaneActor
from entrypoints.engine.lane.capacity import ProviderCapacity
from entrypoints.engine.lane.fair_share import FairSemaphore
from entrypoints.engine.lane.fleet import LaneFleet
from entrypoints.engine.lane.services import LaneServices
from entrypoints.engine.lane.settler import Settler


def lane_actors(container: Container, handoff: Handoff) -> Sequence[Actor]:
    """One for each lane of this process, and one that runs the lanes of channels that the API has made."""
    settings = container.settings()
    live = _services(container, handoff)
    test = _for_test_keys(live, settings) if settings.engine.test_slots else None
    priorities = [Priority.of(label) for label in settings.engine.priorities]

    def of(channels: Iterable[str]) -> list[LaneActor]:
        actors = [LaneActor(lane=Lane(each, p), services=live) for p in priorities for each in channels]
        if test is not None:
            tested = [Lane(each, Priority.LOW, Mode.TEST) for each in channels]
            actors += [LaneActor(lane=lane, services=test) for lane in tested]
        return actors

    async def made() -> Collection[str]:
        _follow_capacity(container, live)
        channels = await container.channel.open_channels().made()
        return channels - frozenset(settings.accepting.channels)

    fleet = LaneFleet(
        channels=made,
        actors=lambda channel: of([channel]),
        tasks=container.kernel.tasks(),
        telemetry=container.kernel.telemetry(),
    )
    if settings.engine.channels:
        return of(settings.engine.channels)  # it is for these alone
    return [*of(settings.accepting.channels), fleet]


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


def _follow_capacity(container: Container, services: LaneServices) -> None:
    """Of the providers that were described through the API: they come, change and go."""
    weights = container.settings().engine.weights.by_priority()
    described = container.provider.built().described()
    for name, calls_max in described.items():
        known = services.capacity.get(name)
        if known is None or known.pool != calls_max:
            services.capacity[name] = ProviderCapacity(pool=calls_max, weights=weights)
    configured = container.settings().providers
    for name in [name for name in services.capacity if name not in described and name not in configured]:
        del services.capacity[name]


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
