"""What a provider can take: calls at a time, and what is leased for it, so that little has to wait.

A delivery that waits for a connection is better off on its queue, where it is nobody's yet: it costs no
lease, no attempt and no slot, and an idle worker may have it.  Only as many are leased beyond the calls under
way as will be called within a moment, so that no connection stands idle while the next chunk is begun.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.kernel.channel import Lane, Priority
from entrypoints.engine.lane.fair_share import Slots

AHEAD_MAX = 8
"""Most that is leased ahead, as a multiple of the calls at a time."""
AHEAD_WAIT = 0.1
"""Seconds that what is leased ahead may have to wait, by what calls took lately."""
MEMORY = 0.05
"""Weight of the last call in the mean."""


@dataclass(slots=True, kw_only=True)
class Capacity:
    """One provider's, shared by the lanes of a process by weight."""

    pool: int
    """Calls at a time."""
    weights: Mapping[Priority, int]
    slots: Slots = field(init=False)
    """Deliveries leased for it whose call has not ended."""
    calls: asyncio.Semaphore = field(init=False)
    _mean: float | None = None

    def __post_init__(self) -> None:
        self.slots = Slots(total=self.pool, weights=self.weights)
        self.calls = asyncio.Semaphore(self.pool)

    def took(self, seconds: float) -> None:
        """A call has ended: the quicker they are, the more is leased ahead."""
        mean = seconds if self._mean is None else self._mean + MEMORY * (seconds - self._mean)
        self._mean = mean
        ahead = AHEAD_MAX if mean * AHEAD_MAX <= AHEAD_WAIT else int(AHEAD_WAIT / mean)
        self.slots.total = self.pool * (1 + ahead)


@dataclass(slots=True, kw_only=True)
class Share:
    """What a lane was granted for one chunk.  Each delivery gives its part back when it is done with it."""

    slots: Slots
    left: int
    """Of the slots of the process: until it is settled."""
    provider: Slots | None
    at_provider: int
    """Of the provider's: until its call has ended."""
    starting: int = field(init=False)
    """As many as were granted, until the last of their calls has started."""

    def __post_init__(self) -> None:
        self.starting = self.left

    def called(self, count: int) -> None:
        """The calls of so many pointers have ended, or none will be made."""
        count = min(count, self.at_provider)
        self.at_provider -= count
        if self.provider is not None and count:
            self.provider.give_back(count)

    def done(self, count: int) -> None:
        """So many pointers are done."""
        if self.provider is not None:
            self.called(count)
        count = min(count, self.left)
        if count:
            self.left -= count
            self.slots.give_back(count)

    def close(self) -> None:
        """Give back whatever is left."""
        self.called(self.at_provider)
        self.done(self.left)


async def share(slots: Slots, capacity: Capacity | None, lane: Lane, wanted: int) -> Share:
    """Wait for room at the provider, then in the process: who waits for a provider must hold nothing."""
    if capacity is None:
        return Share(slots=slots, left=await slots.take(lane, wanted), provider=None, at_provider=0)
    reserved = await capacity.slots.take(lane, wanted)
    try:
        granted = await slots.take(lane, reserved)
    except BaseException:
        capacity.slots.give_back(reserved)
        raise
    if granted < reserved:
        capacity.slots.give_back(reserved - granted)
    return Share(slots=slots, left=granted, provider=capacity.slots, at_provider=granted)
