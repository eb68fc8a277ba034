"""Everything outside the processes: rows, broker, provider, faults, and the network between."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from adapters.crypto.vault import LocalVault
from adapters.memory.broker import MemoryBroker
from adapters.rabbitmq.topology import definitions
from adapters.system import StoreClock
from application.intake.command import INTAKE
from application.outbox.pointers import Pointer, decode
from application.provider.ports import SANDBOX
from domain.delivery.delivery import OPEN, DeliveryStatus
from domain.kernel.channel import Lane, Priority
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable, Unavailable
from entrypoints.amqp.parking import CRITICAL, ORDINARY
from tests.simulation.clocks import MachineClock
from tests.simulation.process import Process, SeededIds
from tests.simulation.provider import SECOND, Provider
from tests.simulation.random_faults import Lost, Part, RandomFaults, Transit
from tests.simulation.whereabouts import at_broker
from tests.support.memory.marker import MemoryMarker
from tests.support.memory.rows import MemoryRows
from tests.support.virtual_time import VirtualClock, VirtualLoop, passing

T = TypeVar("T")

CHANNELS = ("email", "sms")
TOPOLOGY = definitions(CHANNELS)
ERRORS: dict[Part, type[Unavailable]] = {Part.STORE: StoreUnavailable, Part.BROKER: BrokerUnavailable}
LANES = tuple(Lane(channel, priority) for channel in CHANNELS for priority in Priority)
LANE_QUEUES = frozenset(lane.queue for lane in LANES)
WORKED = (INTAKE, CRITICAL, ORDINARY, *(lane.queue for lane in LANES))
VAULT = LocalVault.from_master(b"simulation" * 4)
FAILOVER_EVERY, FAILOVER_AT = 5, 3
"""One run of so many has a second provider: whose seed leaves this remainder."""
SLOW = 0.2
"""Seconds on the way that count as trouble."""
SILENCE = 10.0
"""Seconds after which the store ends sessions without heartbeats, and their locks."""
HEARTBEATS = 30.0
"""Seconds after which the broker does."""
AFTER_DEATH = 0.5
"""How likely what was on its way still arrives when its sender is dead."""


@dataclass(slots=True)
class Ambush:
    """A process dies at one of its next requests."""

    process: Process
    request: str
    """Name of the method."""
    skip: int
    """Not at the first so many of them."""
    before: bool
    """Before it takes effect; else after, and before the answer comes."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One request on its way."""

    process: Process
    part: Part
    name: str
    operation: Callable[[], Coroutine[Any, Any, Any]]
    answer: "asyncio.Future[Any]"
    way: Transit


def _at_once(operation: Coroutine[Any, Any, Any]) -> tuple[object, Exception | None]:
    """What the store does is whole or not at all: nobody comes between."""
    try:
        operation.send(None)
    except StopIteration as done:
        return done.value, None
    except Exception as error:  # noqa: BLE001  it is the answer
        return None, error
    raise AssertionError("the store in memory waits for nobody")


@dataclass(slots=True)
class World:
    """One run's.  `trace` is None when nobody will read it."""

    loop: VirtualLoop
    seed: int
    trace: list[str] | None = None
    violations: list[str] = field(default_factory=list)
    chance: Random = field(init=False)
    clock: VirtualClock = field(init=False)
    rows: MemoryRows = field(init=False)
    broker: MemoryBroker = field(init=False)
    markers: MemoryMarker = field(default_factory=MemoryMarker)
    random_faults: RandomFaults = field(init=False)
    provider: Provider = field(init=False)
    providers: tuple[str, ...] = (SANDBOX,)
    """Of each channel, in order of preference."""
    ids: SeededIds = field(init=False)
    """Of what belongs to no process."""
    lanes: tuple[Lane, ...] = LANES
    connections: int = 1
    """Grows whenever everybody has to connect anew."""
    processes: list[Process] = field(default_factory=list)
    """All that ever lived."""
    delayed: dict[int, asyncio.TimerHandle] = field(default_factory=dict)
    """Messages that the broker holds back for a while."""
    ambushes: list[Ambush] = field(default_factory=list)
    on_wiped: list[Callable[[], None]] = field(default_factory=list)
    promised: set[UUID] = field(default_factory=set)
    """Notifications that stood on the broker alone at some time."""
    rounds: dict[Pointer, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    """The messages that went to its lane with a pointer."""
    moved: set[Pointer] = field(default_factory=set)
    """Dead letters that operators moved to their lanes by hand."""
    purged: set[Pointer] = field(default_factory=set)
    """What stood in a lane when somebody emptied it: dead letters that were moved there, too."""
    taken: set[Pointer] = field(default_factory=set)
    """What the broker lost with its data, or held back."""
    opted_out: dict[tuple[str, bytes], datetime] = field(default_factory=dict)
    """Channel and blind index of an address: since when nothing is sent there."""

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.clock = VirtualClock()
        self.rows = MemoryRows(self.clock)
        self.broker = MemoryBroker(TOPOLOGY, self.clock)
        self.random_faults = RandomFaults(self.chance, rough=self.chance.choice((0.3, 1.0, 2.0)))
        self.ids = SeededIds(self.clock, Random(f"{self.seed}/0"))
        if self.seed % FAILOVER_EVERY == FAILOVER_AT:
            self.providers = (SANDBOX, SECOND)
        for channel in CHANNELS:
            row = self.rows.channels[channel]
            row = msgspec.structs.replace(
                row, value=msgspec.structs.replace(row.value, providers=self.providers)
            )
            self.rows.channels[channel] = row
        self.provider = Provider(self.loop, self.chance, self.random_faults)

    def note(self, text: str, *values: object) -> None:
        """A line of the trace."""
        if self.trace is not None:
            self.trace.append(f"{self.loop.time():11.6f}  {text.format(*values)}")

    def wrong(self, what: str) -> None:
        """A promise is broken."""
        self.note("VIOLATION {}", what)
        self.violations.append(what)

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run something that belongs to no process."""
        return self.loop.create_task(work, context=Context())

    def process(self, role: str) -> Process:
        """A new one."""
        number = len(self.processes) + 1
        clock = StoreClock(MachineClock(self.clock, Random(f"{self.seed}/clock/{number}")))
        ids = SeededIds(clock, Random(f"{self.seed}/{number}"))
        process = Process(f"{role}-{number}", self.loop, ids, clock)
        self.processes.append(process)
        return process

    async def carry(
        self, process: Process, part: Part, name: str, operation: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        """Have a part do something for a process, over a network that fails.

        Raises:
            Unavailable: and nobody knows whether it was done.
        """
        process.check()
        if process.frozen_until > self.loop.time():
            await self.thawed(process)
            process.check()
        call = _Call(
            process, part, name, operation, self.loop.create_future(), self.random_faults.transit(part)
        )
        if call.way.there + call.way.back > SLOW:
            process.troubled(broker=part is Part.BROKER)
        self.loop.call_later(call.way.there, self._arrive, call)
        answer: T = await call.answer
        return answer

    def _arrive(self, call: "_Call") -> None:
        """At the part; callbacks, because a run has thousands of these."""
        self.ambush(call.process, call.name, before=True)
        if not call.process.alive and self.chance.random() > AFTER_DEATH:
            return
        if self._cannot(call) or call.way.lost is Lost.REQUEST:
            self.note("{} {} does not arrive", call.process.name, call.name)
            self.spawn(self._fail(call))
        elif call.part is Part.STORE:
            self._done(call, *_at_once(call.operation()))
        else:
            self.spawn(self._in_time(call))

    def _cannot(self, call: "_Call") -> bool:
        cut_off = call.part is Part.BROKER and call.process.cut_off
        return cut_off or call.part in self.random_faults.away

    def freeze(self, process: Process, seconds: float) -> None:
        """It hears nothing and does nothing; without heartbeats its locks end."""
        self.random_faults.count["frozen"] += 1
        self.note("{} freezes for {:.1f} s", process.name, seconds)
        process.frozen_until = max(process.frozen_until, self.loop.time() + seconds)
        process.troubled()
        self.loop.call_later(SILENCE, self._silent, process)
        self.loop.call_later(HEARTBEATS, self._unheard, process)
        if seconds < math.inf:
            self.loop.call_later(seconds, process.troubled)

    def _silent(self, process: Process) -> None:
        if process.frozen_until > self.loop.time():
            self.rows.processes.discard(process.id)
            if self.rows.alone == process.id:
                self.rows.alone = None

    def _unheard(self, process: Process) -> None:
        if process.frozen_until == math.inf:
            process.hang_up("no heartbeats")

    async def _in_time(self, call: "_Call") -> None:
        try:
            self._done(call, await call.operation(), None)
        except Exception as error:  # noqa: BLE001  it is the answer
            self._done(call, None, error)

    def _done(self, call: "_Call", result: object, error: Exception | None) -> None:
        self.note("{} {}{}", call.process.name, call.name, f": {error!r}" if error else "")
        self.ambush(call.process, call.name, before=False)
        if call.way.back:
            self.loop.call_later(call.way.back, self._answer, call, result, error)
        else:
            self._answer(call, result, error)

    def _answer(self, call: "_Call", result: object, error: Exception | None) -> None:
        answer, process = call.answer, call.process
        if self._cannot(call) or call.way.lost is Lost.ANSWER:
            self.note("{} {} is not answered", process.name, call.name)
            self.spawn(self._fail(call))
        elif (frozen := process.frozen_until - self.loop.time()) > 0 and process.alive:
            self.loop.call_later(frozen, self._answer, call, result, error)
        elif not answer.done() and process.alive:
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)

    async def thawed(self, process: Process) -> None:
        """A frozen process hears nothing."""
        while (left := process.frozen_until - self.loop.time()) > 0 and process.alive:
            await passing(left)

    async def _fail(self, call: "_Call") -> None:
        call.process.troubled(broker=call.part is Part.BROKER)
        await passing(self.chance.choice((0.0, 0.1, 2.0)))
        await self.thawed(call.process)
        call.process.troubled(broker=call.part is Part.BROKER)
        if not call.answer.done() and call.process.alive:
            call.answer.set_exception(ERRORS[call.part]("away"))

    def ambush(self, process: Process, name: str, *, before: bool) -> None:
        for ambush in self.ambushes:
            if ambush.process is process and ambush.request == name and ambush.before == before:
                if ambush.skip:
                    ambush.skip -= 1
                    continue
                self.ambushes.remove(ambush)
                self.kill(process, f"at {name}, {'before' if before else 'after'} it took effect")
                return

    def kill(self, process: Process, why: str) -> None:
        """SIGKILL."""
        if not process.alive:
            return
        self.random_faults.count["killed"] += 1
        self.note("{} is killed {}", process.name, why)
        process.kill()
        self.loop.call_later(self.chance.uniform(0, 2), self.rows.processes.discard, process.id)

    def drop_everybody(self, reason: str) -> None:
        """All connections to the broker are lost."""
        self.connections += 1
        for process in self.processes:
            if process.alive:
                process.hang_up(reason)

    def wipe_broker(self) -> None:
        """It loses its data."""
        self.random_faults.count["broker wiped"] += 1
        self.note("the broker is wiped")
        for call in self.on_wiped:
            call()
        self.taken |= set(at_broker(self.broker))
        old, self.broker = self.broker, MemoryBroker(TOPOLOGY, self.clock)
        self.spawn(old.close())
        for timer in self.delayed.values():
            timer.cancel()
        self.delayed.clear()
        self.markers.standing.clear()
        self.drop_everybody("wiped")

    def purge(self, lane: Lane) -> None:
        """Somebody empties a queue by mistake: what nobody holds is gone."""
        queue = self.broker._queues[lane.queue]
        self.purged |= set(self.pointers(lane.queue))
        gone = list(queue._ready)
        self.random_faults.count["messages purged"] += len(gone)
        self.note("{} loses {} messages", lane.queue, len(gone))
        queue._ready.clear()
        queue.done(gone)

    def delay(self, seconds: float, put: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """The broker holds a message back for a while; it loses it if it loses its data."""
        number = max(self.delayed, default=0) + 1

        def arrive() -> None:
            del self.delayed[number]
            self.spawn(put())

        self.delayed[number] = self.loop.call_later(seconds, arrive)

    def pointers(self, queue: str) -> list[Pointer]:
        """All in a queue that nobody holds."""
        waiting = self.broker._queues[queue]._ready
        return [pointer for message in waiting for pointer in decode(message.event.body)]

    def busy(self) -> str | None:
        """What is still on its way, None when all rests."""
        if self.rows.outbox:
            return f"{len(self.rows.outbox)} messages in the outbox"
        if self.delayed or self.broker._delayed:
            return f"{len(self.delayed) + len(self.broker._delayed)} messages wait"
        for queue in WORKED:
            if depth := self.broker.depth(queue):
                return f"{depth} messages in {queue}"
        moving = OPEN - {DeliveryStatus.STANDBY}  # whether those may rest, the invariants say
        if left := sum(row.status in moving for row in self.rows.deliveries.values()):
            return f"{left} deliveries are open"
        if any(job.finished_at is None for job in self.rows.jobs.values()):
            return "a job is not finished"
        return None
