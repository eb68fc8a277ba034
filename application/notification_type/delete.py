"""Delete a registered type: requests for it say everything themselves from then on."""

from dataclasses import dataclass

from application.notification_type.known_types import KnownTypes
from application.notification_type.ports import NotificationTypes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNotificationType:
    """What was accepted keeps what it was accepted with."""

    types: NotificationTypes
    known: KnownTypes

    async def __call__(self, kind: str, *, expected: int | None) -> bool:
        """Delete; False when it is not there.

        Raises:
            Conflict: it is at another version than `expected`.
        """
        gone = await self.types.delete(kind, expected=expected)
        self.known.forget()
        return gone
