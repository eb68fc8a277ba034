"""Finds a notification by its id or by an alias."""

from uuid import UUID

from application.intake.ports import IntakeIds
from application.notification.ports import Reader
from application.notification.views import NotificationView
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound


async def lookup(reader: Reader, intake_ids: IntakeIds, notification: UUID, mode: Mode) -> NotificationView:
    """Return the notification with this id, or the one of which this id is an alias (see `IntakeIds`).

    Raises:
        NotFound: no such notification in this mode.
    """
    found = await reader.notification(notification, mode)
    if found is None and (winner := await intake_ids.winner(notification)) is not None:
        found = await reader.notification(winner, mode)
    if found is None:
        raise NotFound(f"no notification {notification}")
    return found
