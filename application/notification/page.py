"""Notifications that match a filter, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.notification.ports import Filter, Reader
from application.notification.views import NotificationView
from application.privacy.ports import Vault
from application.user.identity import customer
from domain.kernel.channel import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotifications:
    """Knows how the shop's user ids became users."""

    reader: Reader
    vault: Vault

    async def __call__(
        self, wanted: Filter, *, recipient: str | None, before: UUID | None, limit: int
    ) -> Sequence[NotificationView]:
        """Up to `limit` behind `before`; `recipient` is the shop's own user id."""
        if recipient is not None:
            user = customer(self.vault, recipient, Mode(wanted.mode))
            wanted = msgspec.structs.replace(wanted, user=user)
        return await self.reader.notifications(wanted, before, limit)
