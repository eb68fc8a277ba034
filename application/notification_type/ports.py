"""The store of registered types; for `expected` see `application.kernel.versioned`."""

from typing import Protocol

from application.kernel.versioned import Versioned
from domain.notification_type.notification_type import NotificationType


class NotificationTypes(Protocol):
    """What requests of a type need not say.  Held to tests/contract/notification_types.py."""

    async def get(self, kind: str) -> Versioned[NotificationType] | None:
        """One."""
        ...

    async def put(self, kind: NotificationType, *, expected: int | None) -> Versioned[NotificationType]:
        """Create or replace.

        Raises:
            Conflict: see the module.
        """
        ...

    async def delete(self, kind: str, *, expected: int | None) -> bool:
        """Remove; False when it was not there."""
        ...

    async def page(self, after: str, limit: int) -> list[Versioned[NotificationType]]:
        """In id order, behind `after`."""
        ...
