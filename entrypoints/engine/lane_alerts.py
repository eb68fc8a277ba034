"""Shows how long the oldest delivery of each lane waits, and tells operators of lanes that stand still."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.alert.lanes import AlertStalledLanes
from application.outbox.ports import Waiting
from entrypoints.engine.telemetry import Telemetry


class LaneFigures(Telemetry, Protocol):
    """Where the waits of lanes are shown."""

    def lanes(self, waiting: Sequence[Waiting]) -> None:
        """Those in which something is late; in all others nothing is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneAlerts:
    """Called every few seconds."""

    tell: AlertStalledLanes
    telemetry: LaneFigures

    async def __call__(self) -> None:
        """Show how long the oldest of each lane waits, and say what is news.

        Raises:
            StoreUnavailable: next time.
        """
        lanes = await self.tell()
        self.telemetry.lanes(lanes.waiting)
        for each in lanes.stalled:
            self.telemetry.trouble(
                "lane.stalled",
                lane=each.lane.queue,
                seconds=int(each.age.total_seconds()),
                reason=lanes.fault,
                mend="is a worker bound to it? was its queue purged: posthorn recover --lane",
            )
        for queue in lanes.moving:
            self.telemetry.wide("lane.moving", lane=queue)
