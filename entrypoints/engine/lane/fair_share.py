"""A semaphore that lanes share by weight.

Start-time fair queueing: each lane has a virtual time that grows by granted ÷ weight; the smallest goes
first.  A lane that was idle starts at the present, so it cannot save up.  A reserve is for critical alone.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.kernel.channel import Lane, Priority


@dataclass(slots=True, kw_only=True)
class FairSemaphore:
    """`total` permits, of which `reserve` are for critical lanes alone; `total` may change at any time."""

    total: int
    reserve: int = 0
    weights: Mapping[Priority, int]
    """Lanes that wait at the same time are granted permits in this proportion."""
    _used: int = 0
    _present: float = 0.0
    _virtual: dict[Lane, float] = field(default_factory=dict)
    _waiting: dict[Lane, tuple[int, "asyncio.Future[int]"]] = field(default_factory=dict)
    _granting: bool = False

    async def acquire(self, lane: Lane, wanted: int) -> int:
        """Wait for permits; returns between 1 and `wanted`.  One task of a lane may wait at a time."""
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._virtual[lane] = max(self._virtual.get(lane, 0.0), self._present)
        self._waiting[lane] = (wanted, waiter)
        self._grant()
        try:
            return await waiter
        except asyncio.CancelledError:
            self._waiting.pop(lane, None)
            if waiter.done() and not waiter.cancelled():
                self.release(waiter.result())
            raise

    def release(self, count: int) -> None:
        """Give permits back.  What becomes free in one turn of the loop is granted together."""
        self._used -= count
        if self._waiting and not self._granting:
            self._granting = True
            asyncio.get_running_loop().call_soon(self._grant)

    @property
    def used(self) -> int:
        """Permits that are held now."""
        return self._used

    def _free(self, lane: Lane) -> int:
        reserved = 0 if lane.priority is Priority.CRITICAL else self.reserve
        return self.total - reserved - self._used

    def _grant(self) -> None:
        self._granting = False
        while self._waiting:
            able = [lane for lane in self._waiting if self._free(lane) > 0]
            if not able:
                return
            lane = min(able, key=lambda each: (self._virtual[each], each.priority))
            wanted, waiter = self._waiting.pop(lane)
            if waiter.done():
                continue
            granted = min(wanted, self._free(lane))
            self._present = max(self._present, self._virtual[lane])
            self._virtual[lane] += granted / self.weights[lane.priority]
            self._used += granted
            waiter.set_result(granted)
