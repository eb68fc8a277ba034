"""Writes what calls came to.  Settlements that arrive while a statement is in flight share the next one.

What is known of a call must not be lost: while the store is away the settler tries again and again.  Settling
twice is harmless, for the attempt's number fences it.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from application.delivery.ports import Deliveries, Settled, Settlement
from application.kernel.supervision import start, uncancelled
from application.outbox.ports import Handoff
from domain.kernel.errors import StoreUnavailable
from entrypoints.engine.telemetry import Telemetry

Waiting = tuple[Settlement, "asyncio.Future[bool]"]


@dataclass(slots=True, kw_only=True)
class Settler:
    """One for all lanes of a process.

    Args:
        batch_max: most settlements of one statement.
        retry_wait: seconds between two tries while the store is away.
        parallel: statements in flight at a time.
    """

    deliveries: Deliveries
    handoff: Handoff
    telemetry: Telemetry
    batch_max: int = 500
    retry_wait: float = 0.5
    parallel: int = 2
    _queue: deque[Waiting] = field(default_factory=deque)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _running: int = 0
    """Not `len(_tasks)`: a task leaves that set a little after it has seen the queue empty."""
    _retrying: int = 0
    """Batches that could not be written at the first try."""

    @property
    def behind(self) -> bool:
        """Outcomes of calls are known and not written: their leases may end, so lease nothing meanwhile."""
        return self._retrying > 0

    async def settle(self, settlement: Settlement) -> bool:
        """Return when it is committed; False when another worker had taken the lease over.

        Raises:
            Exception: this settlement cannot be written; nothing is known of the delivery then.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.append((settlement, done))
        if self._running < self.parallel and (not self._running or len(self._queue) >= self.batch_max):
            self._running += 1
            start("settle", self._run(), among=self._tasks)
        return await done

    async def _run(self) -> None:
        try:
            while self._queue:
                count = min(len(self._queue), self.batch_max)
                await self._finish([self._queue.popleft() for _ in range(count)])
        finally:
            self._running -= 1

    async def _finish(self, batch: list[Waiting]) -> None:
        """Write a batch and answer everybody who waits; a settlement that cannot be written stands alone."""
        try:
            overtaken = await uncancelled(self._write([settlement for settlement, _ in batch]))
        except Exception as crash:  # noqa: BLE001  the next in the queue must not wait for ever
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._finish(batch[:middle])
                await self._finish(batch[middle:])
            elif not batch[0][1].done():  # the caller may have gone
                batch[0][1].set_exception(crash)
            return
        for settlement, done in batch:
            if not done.done():
                done.set_result(settlement.delivery not in overtaken)

    async def _write(self, settlements: list[Settlement]) -> frozenset[UUID]:
        """Write them in one statement, again while the store is away; return those that were overtaken."""
        settled = await self._settled(settlements)
        self.handoff.offer(settled.messages)
        if settled.overtaken:
            self.telemetry.trouble("settle.overtaken", deliveries=len(settled.overtaken))
        return frozenset(settled.overtaken)

    async def _settled(self, settlements: list[Settlement]) -> Settled:
        retrying = False
        try:
            while True:
                started = asyncio.get_running_loop().time()
                try:
                    settled = await self.deliveries.settle(settlements)
                except StoreUnavailable as away:
                    self._retrying += not retrying
                    retrying = True
                    self.telemetry.trouble("settle.waits", error=str(away), deliveries=len(settlements))
                    await asyncio.sleep(self.retry_wait)
                else:
                    self.telemetry.stage("settle", asyncio.get_running_loop().time() - started)
                    return settled
        finally:
            self._retrying -= retrying
