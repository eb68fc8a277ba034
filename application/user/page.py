"""Customers and guests, all or those with an e-mail address."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.privacy.opening import opened
from application.privacy.ports import Vault
from application.user.identity import email_index
from application.user.ports import Addresses, Users
from application.user.shown_user import ShownUser
from domain.kernel.channel import Mode
from domain.kernel.errors import Fault, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsers:
    """Looks addresses up by their blind index."""

    users: Users
    vault: Vault
    addresses: Addresses

    async def __call__(
        self, mode: Mode, *, email: str | None, after: UUID | None, limit: int
    ) -> Sequence[ShownUser]:
        """Up to `limit` behind `after`, in id order; erased ones are left out.

        Raises:
            Invalid: `email` is not an address.
        """
        index = None
        if email is not None:
            try:
                index = email_index(self.vault, self.addresses.email(email))
            except ValueError as fault:
                raise Invalid(Fault("?email", "bad_email", str(fault))) from None
        found = await self.users.page(after, limit, mode=mode, email_index=index)
        return [ShownUser(p, opened(self.vault, p.id, p.data_key, p.profile)) for p in found]
