"""Alerts operators to stalled lanes: deliveries wait too long, or their messages are lost."""

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
    """How long the oldest delivery of each lane waits, and which lanes have changed."""

    waiting: Sequence[Waiting]
    stalled: Sequence[Waiting] = ()
    """Lanes that have stalled since the last look."""
    moving: Sequence[str] = ()
    """Queues of lanes in which nothing waits for too long any more."""
    fault: str | None = None
    """The error of an alert; None: none failed.  A failed alert is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStalledLanes:
    """Every process sends the alert, with the same id, by which the receiver recognises a repeated event.

    Args:
        hook: None: the caller writes the alert to the log.
        longest: a delivery that waits longer, in a lane that is not paused, causes an alert.
    """

    overdue: Overdue
    hook: OperatorsHook | None
    clock: Clock
    longest: timedelta
    alerted: set[str] = field(default_factory=set)

    async def __call__(self) -> Lanes:
        """Look once.

        Raises:
            StoreUnavailable: try again with the next look.
        """
        waiting = await self.overdue.longest()
        late = {each.lane.queue: each for each in waiting if each.age > self.longest and not each.paused}
        moving = sorted(self.alerted - late.keys())
        self.alerted.difference_update(moving)
        news, fault = [each for queue, each in late.items() if queue not in self.alerted], None
        for each in news:
            try:
                await self._alert(each)
            except Unavailable as away:
                fault = str(away)
            else:
                self.alerted.add(each.lane.queue)
        return Lanes(waiting=waiting, stalled=news, moving=moving, fault=fault)

    async def _alert(self, each: Waiting) -> None:
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
