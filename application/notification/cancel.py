"""Cancel a notification: deliveries that have not begun are not sent; those in flight are counted."""

from dataclasses import dataclass
from uuid import UUID

from application.intake.ports import IntakeIds
from application.notification.ports import Cancelling, CancelTally
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound

CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelNotification:
    """Sets `cancelled_at` first (lease and settle read it), then cancels the waiting rows in chunks."""

    cancelling: Cancelling
    intake_ids: IntakeIds

    async def __call__(self, notification: UUID, mode: Mode) -> CancelTally:
        """Cancel; again is harmless.  An alias stands for its winner.

        Raises:
            NotFound: no such notification in this mode.
        """
        meant = notification
        if not await self.cancelling.mark(notification, mode):
            winner = await self.intake_ids.winner(notification)
            if winner is None or not await self.cancelling.mark(winner, mode):
                raise NotFound(f"no notification {notification}")
            meant = winner
        while await self.cancelling.sweep(meant, CHUNK):
            pass
        return await self.cancelling.tally(meant)
