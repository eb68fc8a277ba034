"""Publishes overdue deliveries again: their message was lost, purged, or is stuck within the broker.

A lane with a long queue is left alone: the messages of its deliveries may still be in it.
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
"""With at most so many messages in its queue, an overdue delivery of a lane is not among them."""


class OverdueReissued(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries were overdue, and how many were published again."""

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
            Unavailable: try again with the next look.
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
