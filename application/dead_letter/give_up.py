"""Give deliveries up without a call: our code fails on them, or the broker dead-lettered their message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from application.dead_letter.ports import DeadLetters
from application.delivery.ports import Deliveries, NotDueYet
from application.outbox.pointers import Pointer
from application.outbox.ports import Handoff
from domain.kernel.channel import Lane

BUSY_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUpDeliveries:
    """Makes a dead letter of each, with a pointer in the lane's dead-letter queue."""

    dead_letters: DeadLetters
    deliveries: Deliveries
    handoff: Handoff

    async def __call__(self, lane: Lane, pointer: Pointer, reason: str) -> bool:
        """Give one delivery up that was found by isolating it; False when its pointer is stale.

        Raises:
            StoreUnavailable: nothing was written.
        """
        return bool(await self.many(lane, [pointer], reason))

    async def many(self, lane: Lane, pointers: Sequence[Pointer], reason: str) -> int:
        """Give deliveries up; those with a call under way are tried again later.  Returns how many.

        Args:
            reason: must not contain their data, since it is shown and logged.

        Raises:
            StoreUnavailable: nothing was written.
        """
        given_up = await self.dead_letters.give_up(pointers, reason)
        later = [NotDueYet(busy, BUSY_WAIT) for busy in given_up.busy]
        postponed = await self.deliveries.postpone(lane, later) if later else []
        self.handoff.offer([*given_up.messages, *postponed])
        return len(given_up.messages) + len(postponed)
