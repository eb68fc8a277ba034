"""Tell operators of lanes in which something waits too long: nobody works there, or its messages are gone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from application.alert.ports import OperatorsHook
from application.kernel.ports import Clock
from application.outbox.ports import Overdue, Waiting
from domain.kernel.errors import Unavailable

EVENT = "lane.stalled"


class StalledData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which lane, and since when its oldest delivery waits."""

    lane: str
    channel_type: str
    priority: str
    since: datetime
    seconds: int


class StalledEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The body, as Standard Webhooks would have it."""

    type: str
    timestamp: datetime
    data: StalledData


class Lanes(msgspec.Struct, frozen=True, kw_only=True):
    """How long the oldest of each lane waits, and what is news."""

    waiting: Sequence[Waiting]
    stalled: Sequence[Waiting] = ()
    """For too long since this look."""
    moving: Sequence[str] = ()
    """Queues of lanes in which nothing waits for too long any more."""
    fault: str | None = None
    """Why the receiver does not know of those that are stalled; they are told again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStalledLanes:
    """Every process tells; the event's id is the same, and its receiver can tell by that.

    Args:
        hook: None: who calls this says it, in the log.
        longest: what waits longer in a lane that is not paused is news.
    """

    overdue: Overdue
    hook: OperatorsHook | None
    clock: Clock
    longest: timedelta
    alerted: set[str] = field(default_factory=set)

    async def __call__(self) -> Lanes:
        """Look once.

        Raises:
            StoreUnavailable: next time.
        """
        waiting = await self.overdue.longest()
        late = {each.lane.queue: each for each in waiting if each.age > self.longest and not each.paused}
        moving = sorted(self.alerted - late.keys())
        self.alerted.difference_update(moving)
        news, fault = [each for queue, each in late.items() if queue not in self.alerted], None
        for each in news:
            try:
                await self._tell(each)
            except Unavailable as away:
                fault = str(away)
            else:
                self.alerted.add(each.lane.queue)
        return Lanes(waiting=waiting, stalled=news, moving=moving, fault=fault)

    async def _tell(self, each: Waiting) -> None:
        if self.hook is None:
            return
        data = StalledData(
            lane=each.lane.queue,
            channel_type=each.lane.channel,
            priority=each.lane.priority.label,
            since=each.since,
            seconds=int(each.age.total_seconds()),
        )
        event = StalledEvent(type=EVENT, timestamp=self.clock.now(), data=data)
        same = msgspec.json.encode((EVENT, data.lane, data.since))
        await self.hook.post(f"msg_{hashlib.sha256(same).hexdigest()[:32]}", msgspec.json.encode(event))
