"""Take a message apart that was redelivered again and again: each pointer goes on alone, in a new one.

So one delivery that kills its worker cannot take ninety-nine good ones to the dead letters with it, and the
broker's count of redeliveries begins anew for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from application.messages.pointers import Pointer
from application.messages.travel import STRIKES
from application.ports.deliveries import Deliveries, Later
from application.ports.outbox import Handoff
from domain.kernel.channel import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeApart:
    """Commits a message for each pointer; the old one may be acked then."""

    deliveries: Deliveries
    handoff: Handoff

    async def __call__(self, lane: Lane, pointers: Sequence[Pointer]) -> None:
        """Re-issue each pointer alone.

        Raises:
            StoreUnavailable: nothing was committed.
        """
        alone = [Later(pointer, timedelta(), strikes=len(STRIKES)) for pointer in pointers]
        self.handoff.offer(await self.deliveries.postpone(lane, alone))
