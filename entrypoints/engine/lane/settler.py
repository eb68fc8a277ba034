"""Settles what calls came to: those that end while a settle is in flight share the next one.

What is known of a call must not be lost: while the store is away the settler waits and tries again (settling
twice is harmless: it is fenced).
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from application.delivery.ports import Deliveries, Settlement
from application.kernel.supervision import start
from application.outbox.ports import Handoff
from domain.kernel.errors import StoreUnavailable
from entrypoints.engine.telemetry import Telemetry


@dataclass(slots=True, kw_only=True)
class Settler:
    """One for all lanes of a process."""

    deliveries: Deliveries
    handoff: Handoff
    telemetry: Telemetry
    batch_max: int = 500
    retry_wait: float = 0.5
    parallel: int = 2
    """Settles in flight at once."""
    _queue: "deque[tuple[Settlement, asyncio.Future[bool]]]" = field(default_factory=deque)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _settling: int = 0
    """Not `len(_tasks)`: a task leaves that set a little after it has seen the queue empty."""

    _behind: int = 0

    @property
    def behind(self) -> bool:
        """What is known of calls is not written yet: their leases may end, so lease nothing meanwhile."""
        return self._behind > 0

    async def settle(self, settlement: Settlement) -> bool:
        """Returns once it is committed; False when our lease had passed to somebody else."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.append((settlement, done))
        if self._settling < self.parallel and (not self._settling or len(self._queue) >= self.batch_max):
            self._settling += 1
            start("settle", self._run(), among=self._tasks)
        return await done

    async def _run(self) -> None:
        try:
            while self._queue:
                count = min(len(self._queue), self.batch_max)
                await self._finish([self._queue.popleft() for _ in range(count)])
        finally:
            self._settling -= 1

    async def _finish(self, batch: "list[tuple[Settlement, asyncio.Future[bool]]]") -> None:
        """Whatever happens, who waits is told, and a settlement that cannot be written stands alone."""
        try:
            overtaken = await self._write([settlement for settlement, _ in batch])
        except Exception as crash:  # noqa: BLE001  the next in the queue must not wait for ever
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._finish(batch[:middle])
                await self._finish(batch[middle:])
            elif not batch[0][1].done():  # a caller may have gone
                batch[0][1].set_exception(crash)
            return
        for settlement, done in batch:
            if not done.done():
                done.set_result(settlement.delivery not in overtaken)

    async def _write(self, settlements: list[Settlement]) -> frozenset[object]:
        tries = 0
        try:
            while True:
                started = asyncio.get_running_loop().time()
                try:
                    settled = await self.deliveries.settle(settlements)
                    break
                except StoreUnavailable as away:
                    self._behind += tries == 0
                    tries += 1
                    self.telemetry.trouble("settle.waits", error=str(away), deliveries=len(settlements))
                    await asyncio.sleep(self.retry_wait)
        finally:
            self._behind -= tries > 0
        self.handoff.offer(settled.messages)
        self.telemetry.stage("settle", asyncio.get_running_loop().time() - started)
        if settled.overtaken:
            self.telemetry.trouble("settle.overtaken", deliveries=len(settled.overtaken))
        return frozenset(settled.overtaken)
