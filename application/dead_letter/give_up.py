"""Give deliveries up: our own code fails on them, or the broker has given their message up."""

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
    """As rows, each with a pointer to its lane's dead queue."""

    dead_letters: DeadLetters
    deliveries: Deliveries
    handoff: Handoff

    async def __call__(self, lane: Lane, pointer: Pointer, reason: str) -> bool:
        """Bury one that was found by isolating it; False when there is no such delivery now.

        Raises:
            StoreUnavailable: nothing was written.
        """
        return bool(await self.many(lane, [pointer], reason))

    async def many(self, lane: Lane, pointers: Sequence[Pointer], reason: str) -> int:
        """Bury them, or look at them again when their calls have ended; how many that were: others are stale.

        Args:
            reason: without any of their data: it is shown, logged and travels.

        Raises:
            StoreUnavailable: nothing was written.
        """
        buried = await self.dead_letters.give_up(pointers, reason)
        later = [NotDueYet(busy, BUSY_WAIT) for busy in buried.busy]
        postponed = await self.deliveries.postpone(lane, later) if later else []
        self.handoff.offer([*buried.messages, *postponed])
        return len(buried.messages) + len(postponed)
