"""Give a delivery up that cannot be worked on: our own code fails on it, whatever its neighbours do."""

from dataclasses import dataclass
from datetime import timedelta

from application.messages.pointers import Pointer
from application.ports.dead_letters import DeadLetters
from application.ports.deliveries import Deliveries, Later
from application.ports.outbox import Handoff
from domain.kernel.channel import Lane

BUSY_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuryDelivery:
    """One by one: it is found by isolating it."""

    letters: DeadLetters
    deliveries: Deliveries
    handoff: Handoff

    async def __call__(self, lane: Lane, pointer: Pointer, reason: str) -> bool:
        """Bury it, or look at it again when its call has ended; False when there is no such delivery now.

        Args:
            reason: without any of its data: it is shown, logged and travels.

        Raises:
            StoreUnavailable: nothing was written.
        """
        buried = await self.letters.bury([pointer], reason)
        later = [Later(busy, BUSY_WAIT) for busy in buried.busy]
        messages = [*buried.messages, *await self.deliveries.postpone(lane, later)]
        self.handoff.offer(messages)
        return bool(messages)
