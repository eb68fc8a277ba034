"""One notification."""

from dataclasses import dataclass
from uuid import UUID

from application.ports.promises import Promises
from application.ports.reading import NotificationView, Reader
from application.queries.naming import named
from domain.kernel.channel import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class FindNotification:
    """A test key sees test notifications only, a live one live ones."""

    reader: Reader
    promises: Promises

    async def __call__(self, notification: UUID, mode: Mode) -> NotificationView:
        """Find it.

        Raises:
            NotFound: no such notification in this mode.
        """
        return await named(self.reader, self.promises, notification, mode)
