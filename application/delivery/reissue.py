"""Issue pointers anew whose messages were redelivered again and again, as they are, in fresh messages.

A worker that dies has all its messages redelivered, and the broker gives a message up that came too often.
Who merely stood near must not come to that: its count begins anew, and it is worked like any other.  What
kills workers is known by its row.
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
