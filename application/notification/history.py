"""Every move of every delivery of a notification."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.intake.ports import IntakeIds
from application.notification.lookup import lookup
from application.notification.ports import Reader
from application.notification.views import HistoryView
from domain.kernel.channel import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHistory:
    """The audit trail of one notification."""

    reader: Reader
    intake_ids: IntakeIds

    async def __call__(
        self, notification: UUID, mode: Mode, *, after: tuple[UUID, int] | None, limit: int
    ) -> Sequence[HistoryView]:
        """Up to `limit` behind `after`, in (delivery, n) order.

        Raises:
            NotFound: no such notification in this mode.
        """
        meant = await lookup(self.reader, self.intake_ids, notification, mode)
        return await self.reader.history(meant.id, after, limit)
