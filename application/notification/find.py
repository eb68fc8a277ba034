"""One notification."""

from dataclasses import dataclass
from uuid import UUID

from application.intake.ports import IntakeIds
from application.notification.lookup import lookup
from application.notification.ports import Reader
from application.notification.views import NotificationView
from domain.kernel.channel import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class FindNotification:
    """A test key sees test notifications only, a live one live ones."""

    reader: Reader
    intake_ids: IntakeIds

    async def __call__(self, notification: UUID, mode: Mode) -> NotificationView:
        """Find it.

        Raises:
            NotFound: no such notification in this mode.
        """
        return await lookup(self.reader, self.intake_ids, notification, mode)
