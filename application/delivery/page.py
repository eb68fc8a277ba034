"""The deliveries of a notification, each with its attempts and its recipient."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.delivery.views import DeliveryView
from application.intake.ports import IntakeIds
from application.notification.lookup import lookup
from application.notification.ports import Reader
from application.privacy.masking import email, phone
from application.privacy.opening import opened
from application.privacy.ports import Vault
from domain.kernel.channel import Mode


class ShownDelivery(msgspec.Struct, frozen=True):
    """A delivery and what may be shown of its recipient; nothing is known of an erased one."""

    delivery: DeliveryView
    user_id: str | None
    """The shop's own id; None for guests."""
    email: str | None
    """Masked, as is the phone number."""
    phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDeliveries:
    """Opens the sealed profiles."""

    reader: Reader
    intake_ids: IntakeIds
    vault: Vault

    async def __call__(
        self,
        notification: UUID,
        mode: Mode,
        *,
        after: UUID | None,
        limit: int,
        statuses: tuple[str, ...] = (),
    ) -> Sequence[ShownDelivery]:
        """Up to `limit` behind `after`, in id order.

        Raises:
            NotFound: no such notification in this mode.
        """
        meant = await lookup(self.reader, self.intake_ids, notification, mode)
        rows = await self.reader.deliveries(meant.id, after, limit, statuses=statuses)
        return [self._shown(row) for row in rows]

    def _shown(self, row: DeliveryView) -> ShownDelivery:
        profile = opened(self.vault, row.user, row.data_key, row.profile)
        return ShownDelivery(
            row,
            profile.user_id,
            email(profile.email) if profile.email else None,
            phone(profile.phone) if profile.phone else None,
        )
