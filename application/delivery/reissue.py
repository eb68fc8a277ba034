"""Publishes pointers in fresh messages whose own messages were redelivered often.

When a worker dies, all its messages are redelivered, and the broker dead-letters a message that was delivered
too often.  A fresh message has a new count, so a delivery that was merely in the same process does not end
there.  The delivery that kills workers is known by its strikes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from application.delivery.ports import Deliveries, NotDueYet
from application.outbox.pointers import Pointer
from application.outbox.ports import Handoff
from domain.kernel.channel import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class ReissuePointers:
    """Commits fresh messages; the old ones may be acked then."""

    deliveries: Deliveries
    handoff: Handoff

    async def __call__(self, lane: Lane, pointers: Sequence[Pointer]) -> None:
        """All in one transaction.

        Raises:
            StoreUnavailable: nothing was committed.
        """
        again = [NotDueYet(pointer, timedelta()) for pointer in pointers]
        self.handoff.offer(await self.deliveries.postpone(lane, again))
