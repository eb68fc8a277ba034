"""The relay actor: takes committed messages from the committing code in memory and publishes them.

Urgent first, bounded; what does not fit, what failed and what the dead left behind is found in the outbox by
a sweep, which costs one bounded query when there is nothing.  What cannot be published rests, queue by queue
with growing pauses, and stands in nobody's way.
"""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from application.kernel.supervision import uncancelled
from application.outbox.ports import Outbox, OutboxMessage
from application.outbox.relay import Relayed, RelayOutbox
from domain.kernel.channel import Priority
from domain.kernel.errors import Unavailable
from entrypoints.engine.actor import pause
from entrypoints.engine.relay.blocked_queues import BlockedQueues, unforeseen
from entrypoints.engine.telemetry import Telemetry

OVERHEAD = 1_000
"""Bytes that a message takes beside its body, about."""
SWEEP_ROWS = 2_000
FRESH = 5.0
"""Seconds: a broker that took something so lately is there; what it does not take now is another matter."""
STUCK_MAX = 10.0
"""Seconds without anything published, though something was to be, after which others may take it over."""


@dataclass(slots=True, kw_only=True)
class RelayActor:
    """Implements `Handoff`.

    Args:
        waiting_max: most messages kept in memory; the rest is found by the sweep.  Critical ones have a
            reserve of a quarter on top.
        bytes_max: the same, of all of them.
        batch_max: most messages published together.
        parallel: batches in flight at once.
        sweep_every: seconds between two looks into the outbox.
    """

    relay: RelayOutbox
    outbox: Outbox
    telemetry: Telemetry
    waiting_max: int = 20_000
    bytes_max: int = 32 * 1024 * 1024
    batch_max: int = 250
    parallel: int = 2
    sweep_every: float = 3.0
    name: str = "relay"
    _heap: list[tuple[int, UUID, OutboxMessage]] = field(default_factory=list)
    _bytes: int = 0
    """Of what is in the heap."""
    _held: set[UUID] = field(default_factory=set)
    _gone: set[UUID] | None = None
    """Confirmed while the sweep reads: its rows may be older than these."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _left_behind: bool = True
    _stuck_since: float | None = None
    """Since when something is to be published and nothing is; None: nothing is to be."""
    _answered_at: float = float("-inf")
    """When the broker took something last."""
    _told: set[str] = field(default_factory=set)
    """What is away, and was said to be."""
    blocked: BlockedQueues = field(init=False)

    def __post_init__(self) -> None:
        self.blocked = BlockedQueues(telemetry=self.telemetry)

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        """See `Handoff`."""
        for message in messages:
            if message.id in self._held:
                continue
            reserve = 1.25 if message.priority == Priority.CRITICAL else 1
            size = _size(message)
            if len(self._heap) >= self.waiting_max * reserve or self._bytes + size > self.bytes_max * reserve:
                self._left_behind = True
                continue
            self._held.add(message.id)
            self._bytes += size
            heapq.heappush(self._heap, (message.priority, message.id, message))
        if self._heap:
            self._news.set()
            if self._stuck_since is None:
                self._stuck_since = asyncio.get_running_loop().time()

    @property
    def waiting(self) -> int:
        """See `Handoff`."""
        return len(self._heap)

    @property
    def stuck(self) -> float:
        """Seconds for which something is to be published and nothing is."""
        since = self._stuck_since
        return 0.0 if since is None else asyncio.get_running_loop().time() - since

    @property
    def able(self) -> bool:
        """Whether what is to be published gets out; when not, let others adopt the rows."""
        return self.stuck < STUCK_MAX

    def stop(self) -> None:
        """Publish what is in memory, then end."""
        self._stopping.set()
        self._news.set()

    async def run(self) -> None:
        """Publish until stopped and empty; what cannot be published stays in the outbox."""
        async with asyncio.TaskGroup() as group:
            sweep = group.create_task(uncancelled(self._sweep()))
            publishers = [group.create_task(uncancelled(self._publish())) for _ in range(self.parallel)]
            await asyncio.wait(publishers)
            sweep.cancel()  # stopped: what it would find is published by another process

    async def _publish(self) -> None:
        while True:
            batch = self._next()
            if not batch:
                if self._stopping.is_set():
                    return
                self._news.clear()
                await self._news.wait()
                continue
            try:
                published = await self._batch(batch)
            except Unavailable as away:
                self._left_behind = True
                self._waits("store", str(away))
                published = False
            finally:
                self._held.difference_update(message.id for message in batch)
            if not published:
                if self._stopping.is_set():
                    return
                await pause(0.5, self._stopping)

    def _next(self) -> list[OutboxMessage]:
        """The most urgent in memory; what rests is left to the sweep."""
        batch: list[OutboxMessage] = []
        while self._heap and len(batch) < self.batch_max:
            message = heapq.heappop(self._heap)[2]
            self._bytes -= _size(message)
            if self.blocked.closed(message):
                self._held.discard(message.id)
                self._left_behind = True
            else:
                batch.append(message)
        return batch

    async def _batch(self, batch: list[OutboxMessage]) -> bool:
        """Publish; False when the broker took nothing, and a pause is due."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        if self._stuck_since is None:
            self._stuck_since = started
        relayed = await self._relayed(batch)
        if len(batch) > 1 and unforeseen(relayed):  # one that nobody can publish must not stop the others
            relayed = await self._one_by_one(batch, relayed)
        self.telemetry.stage("relay", loop.time() - started)
        answered = bool(relayed.confirmed or relayed.unroutable or unforeseen(relayed))
        self._left_behind = self._left_behind or len(relayed.confirmed) < len(batch)
        if answered:
            self._answered_at = loop.time()
            self._stuck_since = self._answered_at if self._heap else None
            self._told -= {"broker", "store"}
        fine = answered or self._answered_at > started - FRESH
        if self.blocked.note(batch, relayed, answered=fine) and not fine:
            self._waits("broker", str(relayed.fault or "nothing is confirmed"))
        return answered

    async def _relayed(self, batch: list[OutboxMessage]) -> Relayed:
        relayed = await self.relay(batch)
        if self._gone is not None:
            self._gone.update(relayed.confirmed)
        return relayed

    async def _one_by_one(self, batch: list[OutboxMessage], so_far: Relayed) -> Relayed:
        confirmed, unroutable, fault = set(so_far.confirmed), set(so_far.unroutable), so_far.fault
        for message in batch:
            if message.id not in confirmed:
                alone = await self._relayed([message])
                confirmed.update(alone.confirmed)
                unroutable.update(alone.unroutable)
                fault = alone.fault if unforeseen(alone) else fault
        return Relayed(confirmed=list(confirmed), unroutable=list(unroutable), fault=fault)

    def _waits(self, part: str, reason: str) -> None:
        """Said once, until something gets through."""
        if part not in self._told:
            self._told.add(part)
            self.telemetry.trouble("relay.waits", part=part, error=reason)

    async def _sweep(self) -> None:
        while not self._stopping.is_set():
            try:
                more = await self._look()
                self._told.discard("sweep")
            except Unavailable as away:
                if "sweep" not in self._told:
                    self._told.add("sweep")
                    self.telemetry.trouble("sweep.waits", error=str(away))
                more = False
            if not more:
                await pause(0.5 if self._left_behind else self.sweep_every, self._stopping)

    async def _look(self) -> bool:
        """Read own rows back, and those of the dead when there is room; True when there may be more."""
        if len(self._heap) >= self.batch_max:
            return False
        self._left_behind = False
        gone: set[UUID] = set()
        self._gone = gone
        excluded = self.blocked.excluded()
        try:
            rows = await self.outbox.owned(SWEEP_ROWS, excluded)
        finally:
            self._gone = None
        self.offer([row for row in rows if row.id not in gone])
        while len(self._heap) >= self.batch_max and not self._stopping.is_set():
            await pause(0.05, self._stopping)
        return len(rows) == SWEEP_ROWS or bool(await self._adopt(len(rows)))

    async def _adopt(self, own: int) -> int:
        """Who gets nothing out takes nothing over but, with nothing of its own, one row to try with."""
        limit = SWEEP_ROWS if self.able else 0 if own else 1
        adopted = await self.outbox.adopt(limit, self.blocked.excluded()) if limit else 0
        if adopted:
            self.telemetry.wide("outbox.adopted", messages=adopted)
        return adopted


def _size(message: OutboxMessage) -> int:
    return OVERHEAD + len(message.body)
