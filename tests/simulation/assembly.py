"""What runs in a process: the product's container and actors, over a network that fails that may break."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any

from dependency_injector.providers import Object

from adapters.addresses import LocalAddresses
from adapters.crypto.checked import CheckedVault
from adapters.rendering.bounded import BoundedRenderer
from application.intake.command import INTAKE
from application.intake.outage import StoreOutage
from application.kernel.supervision import End, Tasks
from application.outbox.dispatch import RETURNED
from application.provider.ports import BreakerState
from config.container import Container
from config.settings import Accepting, EngineSettings, Settings
from domain.kernel.channel import Lane, Priority
from entrypoints.amqp.intake import IntakeBatches
from entrypoints.amqp.parking import CRITICAL, ORDINARY
from entrypoints.amqp.returned import ReturnedBatches
from entrypoints.amqp.shop_events import EventBatches
from entrypoints.engine.actor import Actor
from entrypoints.engine.consumer.batch_consumer import BatchConsumer
from entrypoints.engine.jobs import JobsActor
from entrypoints.engine.lane.actor import LaneActor
from entrypoints.engine.lane.capacity import ProviderCapacity
from entrypoints.engine.lane.fair_share import FairSemaphore
from entrypoints.engine.lane.services import LaneServices
from entrypoints.engine.lane.settler import Settler
from entrypoints.engine.overdue import OverdueWatch
from entrypoints.engine.recovery import RecoveryActor
from entrypoints.engine.recurring import Recurring
from entrypoints.engine.relay.actor import RelayActor
from entrypoints.engine.supervisor import Supervisor
from tests.simulation.faulty_ports import (
    RemoteConsumer,
    RemoteMarkers,
    RemotePort,
    RemoteProvider,
    RemotePublisher,
)
from tests.simulation.policies import CALL_MAX, LEASE, POLICIES
from tests.simulation.process import Process
from tests.simulation.random_faults import Part
from tests.simulation.whereabouts import WatchedOverdue
from tests.simulation.world import CHANNELS, VAULT, World
from tests.support.memory.overdue import MemoryOverdue
from tests.support.memory.wiring import in_memory
from tests.support.virtual_time import passing

SETTINGS = Settings(
    accepting=Accepting(channels=CHANNELS, pack_from=4),
    engine=EngineSettings(lease=LEASE, call_max=timedelta(seconds=CALL_MAX)),
)
WEIGHTS = SETTINGS.engine.weights.by_priority()
PRIORITIES = (Priority.CRITICAL, Priority.MEDIUM)
BREAKS = frozenset(
    {"task.ended", "deliveries.broken", "delivery.poison", "message.dead_lettered", "relay.poison"}
)
"""Troubles that nothing in this world explains."""


class Addresses(LocalAddresses):
    """The product's, but each address is read once only: there are few of them, and many runs."""

    email = lru_cache(LocalAddresses.email)
    phone = lru_cache(LocalAddresses.phone)


ADDRESSES = Addresses()
RENDERER = BoundedRenderer()


class Voice:
    """Implements `EventTelemetry`: into the trace; what nothing explains is wrong."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    def delivered(self, channel: str, provider: str, outcome: str, count: int = 1) -> None:
        """The provider's ledger says it better."""

    def event(self, type_: str, outcome: str, count: int = 1) -> None:
        """The rows say it."""

    def kept_out(self, code: str, count: int = 1) -> None:
        """Nobody here has such addresses."""

    def provider_paused(self, provider: str, reason: str) -> None:
        """Into the trace."""
        self.trouble("provider.paused", provider=provider, reason=reason)

    def breaker_moved(self, provider: str, state: BreakerState) -> None:
        """Likewise."""
        self.wide("provider.breaker", provider=provider, state=str(state))

    def provider_resumed(self, provider: str, paused_for: timedelta) -> None:
        """Likewise."""
        self.wide("provider.resumed", provider=provider, paused_for=paused_for)

    def stage(self, name: str, seconds: float) -> None:
        """Times are virtual."""

    def task_ended(self, task: str, end: End, error: Exception | None) -> None:
        """An actor's end; whoever stops and kills processes here knows of all others."""
        if end in (End.CRASHED, End.RETURNED):
            self.trouble("task.ended", task=task, end=end, error=repr(error))

    def wide(self, event: str, **fields: Any) -> None:
        """One unit of work."""
        if self._process.alive and self._world.trace is not None:
            self._world.note("{} {} {}", self._process.name, event, fields)

    def trouble(self, event: str, **fields: Any) -> None:
        """Something an operator should see."""
        if not self._process.alive:
            return
        self._world.note("{} {} {}", self._process.name, event, fields)
        if event in BREAKS or fields.get("alert"):
            self._world.wrong(f"{self._process.name}: {event} {fields}")


class Assembly:
    """The parts of one process: the product's container, over a network that fails that may break."""

    def __init__(self, world: World, process: Process) -> None:
        self.world = world
        self.process = process
        self.voice = Voice(world, process)
        self.remote = partial(RemotePort, world, process)
        self.publisher: Any = RemotePublisher(world, process)
        self.consumer: Any = RemoteConsumer(world, process)
        self.container = self._container()
        self.relay = RelayActor(
            relay=self.container.outbox.relay(),
            outbox=self.container.outbox.rows(),
            telemetry=self.voice,
            sweep_every=8.0,
        )
        self.jobs = JobsActor(
            advance=replace(self.container.job.advance(), size=5),
            chunks=self.container.job.chunks(),
            telemetry=self.voice,
            every=6.0,
        )
        self.container.kernel.handoff().relay = self.relay
        self.container.kernel.nudge().actor = self.jobs
        self.accept = self.container.intake.accept()

    def _container(self) -> Container:
        world, process = self.world, self.process
        container = in_memory(world.rows, SETTINGS, wrap=self.remote)
        container.kernel.process.override(process.id)
        container.kernel.ids.override(process.ids)
        container.kernel.clock.override(process.clock)
        container.kernel.dice.override(self)
        container.kernel.telemetry.override(self.voice)
        container.privacy.state.override(process.keys)
        container.privacy.vault.override(CheckedVault(VAULT, process.keys))
        container.user.addresses.override(ADDRESSES)
        container.template.renderer.override(RENDERER)
        container.notification.policies.override(POLICIES)
        container.channel.open_channels.override(Object(None))  # every channel takes requests
        container.intake.outage.override(StoreOutage(clock=process.clock))
        container.provider.gateways.override(RemoteProvider(world, process))
        for port in (container.broker.publisher, container.broker.delayed):
            port.override(self.publisher)
        for port in (container.broker.consumer, container.broker.sizes):
            port.override(self.consumer)
        overdue = MemoryOverdue(rows=world.rows, process=process.id, ids=process.ids)
        container.outbox.overdue.override(self.remote(WatchedOverdue(overdue, world)))
        container.recovery.known_marker.override(RemoteMarkers(world, process))
        container.recovery.broker_marker.override(self.remote(world.markers, Part.BROKER))
        container.recovery.topology.override(self)
        return container

    # What it does by itself.

    def supervisor(self, *, api: bool, lanes: bool, events: bool) -> Supervisor:
        """Its actors, in the order of stopping."""
        entrances: list[Actor] = []
        if api:
            entrances += [self.jobs, self._intake()]
        if events:
            entrances += self._events()
        groups: Sequence[Sequence[Actor]] = [
            entrances,
            [*self._lanes(), self._returned()] if lanes else [],
            [self.relay, self._recovery(), self._keeping(), self._overdue()],
        ]
        return Supervisor(groups=groups, telemetry=self.voice, tasks=Tasks(self.voice.task_ended))

    def _keeping(self) -> Actor:
        """Renews the leases of calls that take long."""
        keep = self.container.delivery.keep_leases()
        return Recurring(name="leases", work=keep, every=1.0, telemetry=self.voice)

    def _overdue(self) -> Recurring:
        """Issues again what is not back."""
        work = OverdueWatch(reissue=self.container.outbox.reissue_overdue(), telemetry=self.voice)
        return Recurring(name="overdue", work=work, every=5.0, telemetry=self.voice)

    async def reach_store(self) -> None:
        """Whether it answers."""
        await self.remote(self).nothing()

    async def nothing(self) -> None:
        """What is asked of the store to see whether it answers."""

    async def present(self) -> None:
        """Show others that it lives, whenever the store answers: the lock of a session, and heartbeats.

        Who gets nothing published gives the lock back.
        """
        world, process = self.world, self.process
        while process.alive:
            await world.thawed(process)
            if Part.STORE not in world.random_faults.away:
                process.clock.heard(world.clock.now(), process.clock.monotonic())
            if not self.relay.able:
                world.rows.processes.discard(process.id)
            elif Part.STORE not in world.random_faults.away:
                world.rows.processes.add(process.id)
            await passing(4.0)

    def _lanes(self) -> list[LaneActor]:
        delivery = self.container.delivery
        services = LaneServices(
            consumer=self.consumer,
            publisher=self.publisher,
            begin=delivery.begin(),
            call=delivery.call(),
            probe=delivery.probe(),
            reissue=delivery.reissue(),
            give_up=self.container.dead_letter.give_up(),
            settler=Settler(deliveries=delivery.deliveries(), handoff=self.relay, telemetry=self.voice),
            in_work=FairSemaphore(total=40, reserve=8, weights=WEIGHTS),
            capacity={name: ProviderCapacity(pool=8, weights=WEIGHTS) for name in self.world.providers},
            ids=self.process.ids,
            telemetry=self.voice,
            prefetch=32,
            chunk_max=25,
        )
        return [LaneActor(lane=Lane(each, p), services=services) for p in PRIORITIES for each in CHANNELS]

    def chance(self) -> float:
        """As `Dice`."""
        return self.world.chance.random()

    def _returned(self) -> BatchConsumer:
        batches = ReturnedBatches(
            give_up=self.container.dead_letter.give_up(),
            publisher=self.publisher,
            ids=self.process.ids,
            telemetry=self.voice,
        )
        return self._consumer(RETURNED, batches, does="returned")

    def _intake(self) -> BatchConsumer:
        batches = IntakeBatches(
            commit_intake=self.container.intake.commit_intake(),
            publisher=self.publisher,
            ids=self.process.ids,
            telemetry=self.voice,
        )
        return self._consumer(INTAKE, batches, does=INTAKE, batches_max=2)

    def _events(self) -> list[BatchConsumer]:
        batches = EventBatches(
            handle=self.container.event.handle(),
            publisher=self.publisher,
            ids=self.process.ids,
            telemetry=self.voice,
        )
        return [self._consumer(queue, batches) for queue in (CRITICAL, ORDINARY)]

    def _consumer(self, queue: str, batches: Any, **more: Any) -> BatchConsumer:
        return BatchConsumer(
            name=queue,
            consumer=self.consumer,
            batches=batches,
            clock=self.process.clock,
            probe=self.reach_store,
            batch_max=10,
            **more,
        )

    def _recovery(self) -> RecoveryActor:
        recover = self.container.recovery.recover_broker()
        return RecoveryActor(recover=recover, session=self._session, telemetry=self.voice, every=3.0)

    def _session(self) -> int | None:
        if Part.BROKER in self.world.random_faults.away or self.process.cut_off:
            return None
        return self.world.connections + self.process.drops

    async def lay_out(self) -> str | None:
        """As `Topology`: a wiped broker of this world has all its queues."""
        return None
