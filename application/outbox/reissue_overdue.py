"""Issue again what is due and not back: its message was lost, purged, or is stuck within the broker.

Not what stands in a long queue: as long as messages wait in a lane, its deliveries may be among them.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from application.broker.ports import QueueSizes
from application.channel.ports import Channels
from application.intake.command import INTAKE
from application.outbox.ports import Handoff, Overdue, OverdueDelivery
from domain.kernel.channel import Lane
from domain.kernel.errors import NotFound

BACKLOG = 100
"""Messages in a lane that it works off within a moment: who is not back by then is not among them."""


class OverdueReissued(msgspec.Struct, frozen=True, kw_only=True):
    """What one look gave: deliveries."""

    late: int
    issued: Mapping[Lane, int]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReissueOverdue:
    """Any number of processes may ask at any time."""

    overdue: Overdue
    sizes: QueueSizes
    channels: Channels
    handoff: Handoff

    async def __call__(self) -> OverdueReissued:
        """Look once.

        Raises:
            Unavailable: next time.
        """
        with suppress(NotFound):  # who does not reach the broker must not take them from those who do
            await self.sizes.size(INTAKE)
        found = await self.overdue.find()
        lanes: dict[Lane, list[OverdueDelivery]] = {}
        for late in found.late:
            lanes.setdefault(late.lane, []).append(late)
        issued = {}
        for lane, theirs in lanes.items():
            if await self._works(lane):
                self.handoff.offer(await self.overdue.issue(theirs))
                issued[lane] = len(theirs)
        return OverdueReissued(late=len(found.late), issued=issued, more=found.more)

    async def _works(self, lane: Lane) -> bool:
        """Whether the lane is worked off, so that who is not back will not come by itself."""
        found = await self.channels.get(lane.channel)
        if found is None or found.value.paused or not found.value.enabled:
            return False
        try:
            return await self.sizes.size(lane.queue) <= BACKLOG
        except NotFound:  # whatever is issued would wait, too
            return False
