"""What runs in a process: the product's use cases and actors, put together over wires."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from adapters.addresses import LocalAddresses
from adapters.crypto.checked import CheckedVault
from adapters.rendering.bounded import BoundedRenderer
from application.attempt.resolve import ResolveAttempt
from application.dead_letter.bury import BuryDelivery
from application.dead_letter.compact_queue import CompactQueue
from application.delivery.begin import BeginDeliveries
from application.delivery.call import CallProvider
from application.delivery.clear import ClearAgain
from application.delivery.keep import KeepLeases
from application.delivery.ports import UnderWay
from application.delivery.probe import ProbeLane
from application.delivery.reissue import ReissuePointers
from application.event.handle import HandleEvents
from application.event.trigger_index import TriggerIndex
from application.intake.absence import Absence
from application.intake.command import INTAKE
from application.intake.defer import DeferNotifications
from application.intake.drain import DrainIntake
from application.intake.submit_or_defer import SubmitOrDefer
from application.job.advance import AdvanceJob
from application.job.start import StartJob
from application.kernel.caching import CachedTemplates
from application.kernel.supervision import End, Tasks
from application.notification.cancel import CancelNotification
from application.notification.group_commit import GroupCommit
from application.notification.packing import Pack
from application.notification.prepare import Prepare
from application.notification.seal import Seal
from application.notification.submit import SubmitNotification
from application.outbox.chase import ChaseOverdue
from application.outbox.relay import RelayOutbox
from application.outbox.travel import RETURNED
from application.provider.states import ProviderStates
from application.recovery.recover import RecoverBroker
from application.user.update import UpdateUsers
from config.settings import Weights
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
from tests.simulation.faulty_ports import Calling, Consuming, Known, Publishing, Remote
from tests.simulation.policies import CALL_MAX, LEASE, POLICIES
from tests.simulation.process import Process
from tests.simulation.random_faults import Part
from tests.simulation.whereabouts import WatchedOverdue
from tests.simulation.world import CHANNELS, VAULT, World
from tests.support.memory.acceptance import MemoryAcceptance
from tests.support.memory.cancelling import MemoryCancelling
from tests.support.memory.catalog import MemoryChannels, MemoryTriggers
from tests.support.memory.clearances import MemoryClearances
from tests.support.memory.dead_letter_reader import MemoryDeadLetterReader
from tests.support.memory.dead_letters import MemoryDeadLetters
from tests.support.memory.deliveries import MemoryDeliveries
from tests.support.memory.jobs import MemoryJobChunks, MemoryJobs
from tests.support.memory.outbox import MemoryOutbox
from tests.support.memory.overdue import MemoryOverdue
from tests.support.memory.promises import MemoryPromises
from tests.support.memory.recovery import MemoryRecovery
from tests.support.memory.renewals import MemoryRenewals
from tests.support.memory.templates import MemoryTemplates
from tests.support.memory.unknown_attempts import MemoryUnknownAttempts
from tests.support.memory.users import MemoryUsers
from tests.support.virtual_time import passing

WEIGHTS = Weights().by_priority()
PRIORITIES = (Priority.CRITICAL, Priority.MEDIUM)
BREAKS = frozenset({"task.ended", "deliveries.broken", "delivery.poison", "message.buried", "relay.poison"})
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

    def provider_rests(self, provider: str, reason: str) -> None:
        """Into the trace."""
        self.trouble("provider.rests", provider=provider, reason=reason)

    def provider_goes_on(self, provider: str, rested: timedelta) -> None:
        """Likewise."""
        self.wide("provider.goes_on", provider=provider, rested=rested)

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
    """The parts of one process."""

    def __init__(self, world: World, process: Process) -> None:
        self.world = world
        self.process = process
        self.voice = Voice(world, process)
        rows, ids, clock, me = world.rows, process.ids, process.clock, process.id
        self.remote = partial(Remote, world, process)
        self.vault = CheckedVault(VAULT, process.keys)
        mine = {"rows": rows, "process": me, "ids": ids}
        self.outbox: Any = self.remote(MemoryOutbox(rows=rows, process=me))
        self.deliveries: Any = self.remote(MemoryDeliveries(**mine))
        self.promises: Any = self.remote(MemoryPromises(rows=rows))
        self.users: Any = self.remote(MemoryUsers(rows=rows))
        self.channels: Any = self.remote(MemoryChannels(rows=rows))
        self.publisher: Any = Publishing(world, process)
        self.consumer: Any = Consuming(world, process)
        self.calling: Any = Calling(world, process)
        self.under_way: dict[UUID, UnderWay] = {}
        templates: Any = self.remote(MemoryTemplates(rows=rows))
        self.cached = CachedTemplates(templates=templates, clock=clock)
        self.relay = RelayActor(
            relay=RelayOutbox(
                outbox=self.outbox, publisher=self.publisher, delayed=self.publisher, clock=clock
            ),
            outbox=self.outbox,
            telemetry=self.voice,
            sweep_every=8.0,
        )
        self.prepare = Prepare(
            templates=self.cached,
            addresses=ADDRESSES,
            vault=self.vault,
            ids=ids,
            channels=frozenset(CHANNELS),
        )
        acceptance: Any = self.remote(MemoryAcceptance(rows=rows, process=me))
        self.commit = GroupCommit(
            acceptance=acceptance,
            seal=Seal(vault=self.vault),
            pack=Pack(ids=ids, handoff=self.relay, backlog=4),
            handoff=self.relay,
        )
        chunks: Any = self.remote(MemoryJobChunks(**mine))
        self.jobs = JobsActor(
            advance=AdvanceJob(chunks=chunks, handoff=self.relay, size=5),
            chunks=chunks,
            telemetry=self.voice,
            every=6.0,
        )
        self.accept = SubmitOrDefer(
            prepare=self.prepare,
            commit=self.commit,
            defer=DeferNotifications(publisher=self.publisher, key=self.vault),
            absence=Absence(clock=clock),
        )

    # What is asked of it beside accepting.

    def cancel(self) -> CancelNotification:
        """Calling off."""
        cancelling: Any = self.remote(MemoryCancelling(rows=self.world.rows))
        return CancelNotification(cancelling=cancelling, promises=self.promises)

    def start_job(self) -> StartJob:
        """Replay or discard."""
        jobs: Any = self.remote(MemoryJobs(rows=self.world.rows))
        return StartJob(jobs=jobs, nudge=self.jobs, ids=self.process.ids)

    def resolve(self) -> ResolveAttempt:
        """Closing what is held."""
        unknown: Any = self.remote(
            MemoryUnknownAttempts(rows=self.world.rows, process=self.process.id, ids=self.process.ids)
        )
        return ResolveAttempt(unknown=unknown, handoff=self.relay)

    def compact(self) -> CompactQueue:
        """Taking stale messages out of a dead queue."""
        letters: Any = self.remote(MemoryDeadLetterReader(rows=self.world.rows))
        return CompactQueue(consumer=self.consumer, sizes=self.consumer, letters=letters)

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
            [self.relay, self._incarnation(), self._keeping(), self._chaser()],
        ]
        return Supervisor(groups=groups, telemetry=self.voice, tasks=Tasks(self.voice.task_ended))

    def _keeping(self) -> Actor:
        """Renews the leases of calls that take long."""
        keep = KeepLeases(
            renewals=self.remote(MemoryRenewals(rows=self.world.rows)),
            under_way=self.under_way,
            clock=self.process.clock,
            lease=LEASE,
        )
        return Recurring(name="leases", work=keep, every=1.0, telemetry=self.voice)

    def _chaser(self) -> Recurring:
        """Issues again what is not back."""
        mine = {"rows": self.world.rows, "process": self.process.id, "ids": self.process.ids}
        overdue: Any = self.remote(WatchedOverdue(MemoryOverdue(**mine), self.world))
        chase = ChaseOverdue(overdue=overdue, sizes=self.consumer, channels=self.channels, handoff=self.relay)
        work = OverdueWatch(chase=chase, telemetry=self.voice)
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
            if Part.STORE not in world.weather.away:
                process.clock.heard(world.clock.now(), process.clock.monotonic())
            if not self.relay.able:
                world.rows.processes.discard(process.id)
            elif Part.STORE not in world.weather.away:
                world.rows.processes.add(process.id)
            await passing(4.0)

    def _lanes(self) -> list[LaneActor]:
        me = {"rows": self.world.rows, "process": self.process.id, "ids": self.process.ids}
        states = ProviderStates(clock=self.process.clock, watch=self.voice)
        common: Any = {
            "policies": POLICIES,
            "clock": self.process.clock,
            "dice": self,
            "providers": states,
        }
        letters: Any = self.remote(MemoryDeadLetters(**me))
        engine = LaneServices(
            consumer=self.consumer,
            publisher=self.publisher,
            begin=BeginDeliveries(
                deliveries=self.deliveries,
                vault=self.vault,
                gateways=self.calling,
                handoff=self.relay,
                lease=LEASE,
                **common,
            ),
            call=CallProvider(
                gateways=self.calling,
                renderer=RENDERER,
                templates=self.cached,
                lease=LEASE,
                call_max=timedelta(seconds=CALL_MAX),
                under_way=self.under_way,
                clear_again=ClearAgain(
                    clearances=self.remote(MemoryClearances(rows=self.world.rows)),  # type: ignore[arg-type]
                    policies=POLICIES,
                    clock=self.process.clock,
                ),
                **common,
            ),
            probe=ProbeLane(channels=self.channels, providers=states, keys=self.process.keys),
            reissue=ReissuePointers(deliveries=self.deliveries, handoff=self.relay),
            bury=BuryDelivery(letters=letters, deliveries=self.deliveries, handoff=self.relay),
            settler=Settler(deliveries=self.deliveries, handoff=self.relay, telemetry=self.voice),
            in_work=FairSemaphore(total=40, reserve=8, weights=WEIGHTS),
            capacity={"sandbox": ProviderCapacity(pool=8, weights=WEIGHTS)},
            ids=self.process.ids,
            telemetry=self.voice,
            prefetch=32,
            chunk_max=25,
        )
        return [LaneActor(lane=Lane(each, p), services=engine) for p in PRIORITIES for each in CHANNELS]

    def chance(self) -> float:
        """As `Dice`."""
        return self.world.chance.random()

    def _returned(self) -> BatchConsumer:
        letters: Any = self.remote(
            MemoryDeadLetters(rows=self.world.rows, process=self.process.id, ids=self.process.ids)
        )
        batches = ReturnedBatches(
            bury=BuryDelivery(letters=letters, deliveries=self.deliveries, handoff=self.relay),
            publisher=self.publisher,
            ids=self.process.ids,
            telemetry=self.voice,
        )
        return self._consumer(RETURNED, batches, does="returned")

    def _intake(self) -> BatchConsumer:
        drain = DrainIntake(key=self.vault, prepare=self.prepare, commit=self.commit, promises=self.promises)
        batches = IntakeBatches(
            drain=drain, publisher=self.publisher, ids=self.process.ids, telemetry=self.voice
        )
        return self._consumer(INTAKE, batches, does=INTAKE, batches_max=2)

    def _events(self) -> list[BatchConsumer]:
        triggers: Any = self.remote(MemoryTriggers(rows=self.world.rows))
        handle = HandleEvents(
            triggers=TriggerIndex(triggers=triggers, clock=self.process.clock),
            update_users=UpdateUsers(
                users=self.users, vault=self.vault, addresses=ADDRESSES, clock=self.process.clock
            ),
            submit=SubmitNotification(prepare=self.prepare, commit=self.commit).many,
        )
        batches = EventBatches(
            handle=handle, publisher=self.publisher, ids=self.process.ids, telemetry=self.voice
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

    def _incarnation(self) -> RecoveryActor:
        world, process = self.world, self.process
        recovery: Any = self.remote(MemoryRecovery(rows=world.rows, process=process.id, ids=process.ids))
        marks: Any = self.remote(world.marks, Part.BROKER)
        recover = RecoverBroker(
            known=Known(world, process), broker=marks, topology=self, recovery=recovery, ids=process.ids
        )
        return RecoveryActor(recover=recover, session=self._session, telemetry=self.voice, every=3.0)

    def _session(self) -> int | None:
        if Part.BROKER in self.world.weather.away or self.process.cut_off:
            return None
        return self.world.connections + self.process.drops

    async def lay_out(self) -> str | None:
        """As `Topology`: a wiped broker of this world has all its queues."""
        return None
