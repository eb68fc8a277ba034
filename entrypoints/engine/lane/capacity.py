"""How many deliveries are leased for one provider: its calls at a time, and a few ahead of them.

A delivery that waits for a connection is better off on its queue: there it costs no lease, no attempt and no
place, and an idle worker may take it.  Only as many are leased beyond the calls under way as will be called
within a moment, so that no connection is idle while the next chunk is begun.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.kernel.channel import Lane, Priority
from entrypoints.engine.lane.fair_share import FairSemaphore

AHEAD_MAX = 8
"""Most that is leased ahead, as a multiple of the calls at a time."""
AHEAD_WAIT = 0.1
"""Seconds that what is leased ahead may have to wait, judged by how long the last calls took."""
LAST_CALL_WEIGHT = 0.05
"""Weight of the last call in the moving average of durations."""


@dataclass(slots=True, kw_only=True)
class ProviderCapacity:
    """One provider's capacity; the lanes of a process share it by weight."""

    pool: int
    """Calls at a time."""
    weights: Mapping[Priority, int]
    leased: FairSemaphore = field(init=False)
    """Held by each delivery leased for this provider until its call has ended."""
    calls: asyncio.Semaphore = field(init=False)
    """Held by each call under way."""
    _mean: float | None = None

    def __post_init__(self) -> None:
        self.leased = FairSemaphore(total=self.pool, weights=self.weights)
        self.calls = asyncio.Semaphore(self.pool)

    def took(self, seconds: float) -> None:
        """Learn how long a call took: the shorter calls are, the more is leased ahead."""
        mean = seconds if self._mean is None else self._mean + LAST_CALL_WEIGHT * (seconds - self._mean)
        self._mean = mean
        ahead = AHEAD_MAX if mean * AHEAD_MAX <= AHEAD_WAIT else int(AHEAD_WAIT / mean)
        self.leased.total = self.pool * (1 + ahead)


@dataclass(slots=True, kw_only=True)
class Grant:
    """What a lane was granted for one chunk: permits of the process and, where it counts, of the provider.

    Each pointer gives its permits back as soon as it needs them no more.
    """

    in_work: FairSemaphore
    """Of the process; held until a delivery is settled."""
    left: int
    """Permits of `in_work` that are still held."""
    leased: FairSemaphore | None
    """Of the provider; held until the call of a delivery has ended.  None: nobody counts its calls."""
    leased_left: int
    """Permits of `leased` that are still held."""
    starting: int = field(init=False)
    """As many as were granted, until the last of their calls has started."""

    def __post_init__(self) -> None:
        self.starting = self.left

    def called(self, count: int) -> None:
        """The calls of `count` pointers have ended, or none will be made."""
        count = min(count, self.leased_left)
        self.leased_left -= count
        if self.leased is not None and count:
            self.leased.release(count)

    def done(self, count: int) -> None:
        """`count` pointers are settled, or will not be worked on."""
        if self.leased is not None:
            self.called(count)
        count = min(count, self.left)
        if count:
            self.left -= count
            self.in_work.release(count)

    def close(self) -> None:
        """Give back whatever is left."""
        self.called(self.leased_left)
        self.done(self.left)


async def acquire_grant(
    in_work: FairSemaphore, provider: ProviderCapacity | None, lane: Lane, wanted: int
) -> Grant:
    """Wait for permits of the provider, then of the process: who waits for a provider must hold nothing."""
    if provider is None:
        left = await in_work.acquire(lane, wanted)
        return Grant(in_work=in_work, left=left, leased=None, leased_left=0)
    reserved = await provider.leased.acquire(lane, wanted)
    try:
        granted = await in_work.acquire(lane, reserved)
    except BaseException:
        provider.leased.release(reserved)
        raise
    if granted < reserved:
        provider.leased.release(reserved - granted)
    return Grant(in_work=in_work, left=granted, leased=provider.leased, leased_left=granted)
