"""A whole delivery engine in one process, over the in-memory adapters, with faults to be switched on."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from adapters.crypto.checked import CheckedVault
from adapters.crypto.vault import LocalVault
from adapters.memory.broker import MemoryBroker
from adapters.system import SystemIds
from application.broker.ports import Outgoing, Published
from application.channel.ports import Channel
from application.delivery.ports import Begin, Settled, Settlement
from application.kernel.ports import Clock
from application.kernel.versioned import Versioned
from application.outbox.pointers import Pointer, encode
from application.outbox.ports import OutboxMessage
from application.privacy.ports import KeyState
from application.privacy.sealing import seal_content, seal_profile, wrap_content_key
from application.provider.ports import OutboundMessage
from config.container import Container
from config.settings import EngineSettings as EngineSettings
from config.settings import Settings, Weights
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, NotificationClass, Priority
from domain.notification.request import Content, Profile
from domain.provider.outcome import Accepted, Outcome
from entrypoints.engine.lane.actor import LaneActor
from entrypoints.engine.lane.fair_share import FairSemaphore
from entrypoints.engine.lane.services import LaneServices
from entrypoints.engine.lane.settler import Settler
from entrypoints.engine.relay.actor import RelayActor
from tests.support.accepting import notification, user
from tests.support.memory.deliveries import MemoryDeliveries
from tests.support.memory.rows import MemoryRows
from tests.support.memory.wiring import in_memory
from tests.support.telemetry import RecordedTelemetry
from tests.support.virtual_time import VirtualClock

DEFINITIONS = json.loads((Path(__file__).parents[3] / "rabbitmq" / "definitions.json").read_text())
EMAIL = Lane("email", Priority.MEDIUM)
WEIGHTS = Weights().by_priority()
IDS = SystemIds()
CLOCK = VirtualClock()


class Faulty:
    """Deliveries in memory; `fault[method]` is called with the arguments first, and may raise or wait."""

    def __init__(self, inner: MemoryDeliveries) -> None:
        self.inner = inner
        self.fault: dict[str, Callable[[Any], Any]] = {}

    async def _before(self, method: str, given: Any) -> None:
        if method in self.fault:
            answer = self.fault[method](given)
            if asyncio.iscoroutine(answer):
                await answer

    async def lease(self, pointers: Sequence[Pointer], *, lease: timedelta, strikes_max: int = 1) -> Any:
        await self._before("lease", pointers)
        return await self.inner.lease(pointers, lease=lease, strikes_max=strikes_max)

    async def begin(self, attempts: Sequence[Begin], *, cleared_at: Any) -> frozenset[UUID]:
        await self._before("begin", attempts)
        return await self.inner.begin(attempts, cleared_at=cleared_at)

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        await self._before("settle", settlements)
        return await self.inner.settle(settlements)

    async def postpone(self, lane: Lane, pointers: Any) -> list[OutboxMessage]:
        await self._before("postpone", pointers)
        return await self.inner.postpone(lane, pointers)


class World:
    """One lane, one relay, one provider (`smtp`) whose calls are told in `sent`."""

    def __init__(
        self, *, slots: int = 100, lease: timedelta = timedelta(seconds=45), clock: Clock = CLOCK
    ) -> None:
        """`clock` is the process's; the rows have theirs, as a database has."""
        self.rows = MemoryRows(CLOCK)
        self.clock = clock
        self.rows.channels["email"] = Versioned(Channel(channel="email", providers=("smtp",)), 1, CLOCK.now())
        self.me = uuid4()
        self.keys = KeyState(wrong=None)
        self.vault = LocalVault.from_master(b"m" * 32)
        self.broker = MemoryBroker(DEFINITIONS, CLOCK)
        self.telemetry = RecordedTelemetry()
        self.sent: list[UUID] = []
        self.services: dict[str, frozenset[str]] = {}
        self.answer: Callable[[OutboundMessage], Any] = lambda message: Accepted(str(message.delivery))
        self.publish_fault: Callable[[], None] = lambda: None
        self.orphans: dict[UUID, int] = {}
        self.container = self._container(lease)
        self.deliveries = Faulty(self.container.delivery.deliveries())
        self.container.delivery.deliveries.override(self.deliveries)
        self.relay = self._relay()
        self.providers = self.container.provider.states()
        self.settler = Settler(
            deliveries=self.deliveries, handoff=self, telemetry=self.telemetry, retry_wait=0.01
        )
        self.engine = LaneServices(
            consumer=self.broker,
            publisher=self,
            begin=self.container.delivery.begin(),
            call=self.container.delivery.call(),
            probe=self.container.delivery.probe(),
            reissue=self.container.delivery.reissue(),
            give_up=self.container.dead_letter.give_up(),
            settler=self.settler,
            in_work=FairSemaphore(total=slots, weights=WEIGHTS),
            ids=IDS,
            telemetry=self.telemetry,
        )
        self.lane = LaneActor(lane=EMAIL, services=self.engine)
        self.tasks: list[asyncio.Task[None]] = []

    def _container(self, lease: timedelta) -> Container:
        settings = Settings(engine=EngineSettings(lease=lease, call_max=timedelta()))
        container = in_memory(self.rows, settings)
        container.kernel.clock.override(self.clock)
        container.kernel.process.override(self.me)
        container.kernel.ids.override(IDS)
        container.kernel.telemetry.override(self.telemetry)
        container.kernel.handoff.override(self)
        container.privacy.vault.override(CheckedVault(self.vault, self.keys))
        container.privacy.state.override(self.keys)
        container.provider.gateways.override(self)
        container.broker.publisher.override(self.broker)
        container.broker.delayed.override(self.broker)
        return container

    def push_services(self, provider: str) -> frozenset[str]:
        """As `Gateways`."""
        return self.services.get(provider, frozenset())

    def named(self, _provider: str) -> "World":
        """As `Gateways`."""
        return self

    async def send(self, message: OutboundMessage) -> Outcome:
        """As `Gateway`."""
        answer = self.answer(message)
        if asyncio.iscoroutine(answer):
            answer = await answer
        self.sent.append(message.delivery)
        return answer

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        """As `Publisher` of dead letters."""
        self.publish_fault()
        return await self.broker.publish(messages)

    async def accept(
        self,
        count: int = 1,
        *,
        lane: Lane = EMAIL,
        packed: bool = False,
        headers: Mapping[str, str] | None = None,
        klass: NotificationClass = NotificationClass.TRANSACTIONAL,
    ) -> list[UUID]:
        """Commit `count` notifications for one user each, and put their pointers on the lane."""
        found = []
        acceptance = self.container.notification.acceptance()
        for _ in range(count):
            key, ada, content_key = self.vault.create(), user(), self.vault.create()
            profile = seal_profile(key, ada.id, Profile(email=f"{ada.id}@shop.test"))
            ada = user(id=ada.id, data_key=self.vault.wrap(key, ada.id), profile=profile)
            id_ = IDS.next()
            new = notification(ada, id=id_, lane=lane, template_id=None, template_version=None)
            [delivery] = new.deliveries
            new = notification(
                ada,
                id=id_,
                lane=lane,
                klass=klass,
                template_id=None,
                template_version=None,
                content=seal_content(content_key, id_, Content(subject="s", body="b")),
                deliveries=(
                    type(delivery)(
                        id=delivery.id,
                        user=ada.id,
                        slot="email",
                        content_key=wrap_content_key(key, content_key, delivery.id),
                    ),
                ),
            )
            await acceptance.accept([new], [ada], lambda _: [])
            found.append(delivery.id)
        bodies = [found] if packed else [[id_] for id_ in found]
        for ids in bodies:
            await self.put(encode([Pointer(id_, 1) for id_ in ids]), lane, headers)
        return found

    async def put(self, body: bytes, lane: Lane = EMAIL, headers: Mapping[str, str] | None = None) -> None:
        """Onto the lane."""
        message = Outgoing(id=IDS.next(), queue=lane.queue, body=body, headers=dict(headers or {}))
        await self.broker.publish([message])

    def start(self) -> None:
        """Run lane and relay."""
        self.tasks = [asyncio.create_task(actor.run()) for actor in (self.lane, self.relay)]

    async def die(self) -> None:
        """As a process that is killed: nothing is settled, and what is not acked comes again."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.orphans = {
            row.id: row.attempt
            for row in self.rows.deliveries.values()
            if row.status is DeliveryStatus.SENDING
        }
        self.engine = replace(
            self.engine, in_work=FairSemaphore(total=self.engine.in_work.total, weights=WEIGHTS)
        )
        self.lane, self.relay = LaneActor(lane=EMAIL, services=self.engine), self._relay()

    def pass_time(self) -> None:
        """The leases of the dead end, and what waits on the ladder is due."""
        for id_, attempt in self.orphans.items():
            row = self.rows.deliveries[id_]
            if row.attempt == attempt and row.lease_until is not None:
                row.lease_until = CLOCK.now() - timedelta(seconds=1)
        self.broker._delayed = [(0.0, number, message) for _, number, message in self.broker._delayed]
        self.broker.release()

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        """As `Handoff`, to the relay of the process that lives."""
        self.relay.offer(messages)

    def _relay(self) -> RelayActor:
        return RelayActor(
            relay=self.container.outbox.relay(),
            outbox=self.container.outbox.rows(),
            telemetry=self.telemetry,
            sweep_every=0.05,
        )

    async def stop(self) -> None:
        """Drain lane, then relay."""
        for actor, task in zip((self.lane, self.relay), self.tasks, strict=True):
            actor.stop()
            await asyncio.wait_for(task, 5)

    def statuses(self, ids: Sequence[UUID]) -> set[DeliveryStatus]:
        """Of these deliveries."""
        return {self.rows.deliveries[id_].status for id_ in ids}

    def all_sent(self, ids: Sequence[UUID], lane: Lane = EMAIL) -> bool:
        """Each is sent, the lane is empty, and every slot is free."""
        return (
            self.statuses(ids) == {DeliveryStatus.SENT}
            and not self.broker.depth(lane.queue)
            and not self.engine.in_work.used
        )
