"""The relay actor: takes committed messages from the committing code in memory and publishes them.

Urgent first, bounded; what does not fit, what failed and what the dead left behind is found in the outbox by
a sweep, which costs one bounded query when there is nothing.
"""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from application.outbox.relay import RelayOutbox
from application.ports.outbox import Outbox, OutboxMessage
from domain.kernel.channel import Priority
from domain.kernel.errors import Unavailable
from entrypoints.actors.actor import Telemetry, pause

SWEEP_ROWS = 2_000


@dataclass(slots=True, kw_only=True)
class RelayActor:
    """Implements `Handoff`.

    Args:
        waiting_max: most messages kept in memory; the rest is found by the sweep.  Critical ones have a
            reserve of a quarter on top.
        batch_max: most messages published together.
        parallel: batches in flight at once.
        sweep_every: seconds between two looks into the outbox.
    """

    relay: RelayOutbox
    outbox: Outbox
    telemetry: Telemetry
    waiting_max: int = 20_000
    batch_max: int = 250
    parallel: int = 2
    sweep_every: float = 3.0
    name: str = "relay"
    _heap: list[tuple[int, UUID, OutboxMessage]] = field(default_factory=list)
    _held: set[UUID] = field(default_factory=set)
    _gone: set[UUID] | None = None
    """Confirmed while the sweep reads: its rows may be older than these."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _left_behind: bool = True

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        """See `Handoff`."""
        for message in messages:
            if message.id in self._held:
                continue
            reserve = self.waiting_max // 4 if message.priority == Priority.CRITICAL else 0
            if len(self._heap) >= self.waiting_max + reserve:
                self._left_behind = True
                continue
            self._held.add(message.id)
            heapq.heappush(self._heap, (message.priority, message.id, message))
        if self._heap:
            self._news.set()

    @property
    def waiting(self) -> int:
        """See `Handoff`."""
        return len(self._heap)

    def stop(self) -> None:
        """Publish what is in memory, then end."""
        self._stopping.set()
        self._news.set()

    async def run(self) -> None:
        """Publish until stopped and empty; what cannot be published stays in the outbox."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep())
            for _ in range(self.parallel):
                group.create_task(self._publish())

    async def _publish(self) -> None:
        while True:
            if not self._heap:
                if self._stopping.is_set():
                    return
                self._news.clear()
                await self._news.wait()
                continue
            count = min(len(self._heap), self.batch_max)
            batch = [heapq.heappop(self._heap)[2] for _ in range(count)]
            try:
                await self._batch(batch)
            except Unavailable as away:
                self._left_behind = True
                self.telemetry.trouble("relay.waits", error=str(away), messages=len(batch))
                if self._stopping.is_set():
                    return
                await pause(0.5, self._stopping)
            except Exception:  # noqa: BLE001  a message nobody can publish must not stop the others
                await self._isolate(batch)
            finally:
                self._held.difference_update(message.id for message in batch)

    async def _isolate(self, batch: list[OutboxMessage]) -> None:
        """Something unforeseen: one by one; what cannot be published stays in the outbox."""
        for message in batch:
            try:
                await self._batch([message])
            except Unavailable:
                self._left_behind = True
                return
            except Exception as own:  # noqa: BLE001  as above
                self.telemetry.trouble("relay.poison", message=str(message.id), exc_info=own)

    async def _batch(self, batch: list[OutboxMessage]) -> None:
        started = asyncio.get_running_loop().time()
        relayed = await self.relay(batch)
        self.telemetry.stage("relay", asyncio.get_running_loop().time() - started)
        if self._gone is not None:
            self._gone.update(relayed.confirmed)
        if len(relayed.confirmed) < len(batch):
            self._left_behind = True
        if relayed.unroutable:
            self.telemetry.trouble("relay.unroutable", messages=len(relayed.unroutable))

    async def _sweep(self) -> None:
        while not self._stopping.is_set():
            try:
                adopted = await self.outbox.adopt(SWEEP_ROWS)
                if adopted:
                    self.telemetry.wide("outbox.adopted", messages=adopted)
                full = await self._reload()
            except Unavailable as away:
                self.telemetry.trouble("sweep.waits", error=str(away))
                full, adopted = False, 0
            if not full and not adopted:
                await pause(0.5 if self._left_behind else self.sweep_every, self._stopping)

    async def _reload(self) -> bool:
        """Read own rows back when memory is empty; True when there may be more."""
        if self._heap:
            return False
        self._left_behind = False
        self._gone = gone = set()
        try:
            rows = await self.outbox.owned(SWEEP_ROWS)
        finally:
            self._gone = None
        self.offer([row for row in rows if row.id not in gone])
        while self._heap and not self._stopping.is_set():
            await pause(0.05, self._stopping)
        return len(rows) == SWEEP_ROWS
