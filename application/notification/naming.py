"""Finding a notification by any of its names."""

from uuid import UUID

from application.intake.ports import IntakeIds
from application.notification.ports import NotificationView, Reader
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound


async def named(reader: Reader, intake_ids: IntakeIds, notification: UUID, mode: Mode) -> NotificationView:
    """By its id, or by one that was promised while the database was away and became its alias.

    Raises:
        NotFound: no such notification in this mode.
    """
    found = await reader.notification(notification, mode)
    if found is None and (winner := await intake_ids.winner(notification)) is not None:
        found = await reader.notification(winner, mode)
    if found is None:
        raise NotFound(f"no notification {notification}")
    return found
