"""One customer, by the shop's own user id."""

from dataclasses import dataclass

from application.privacy.opening import opened
from application.privacy.ports import Vault
from application.user.identity import customer
from application.user.ports import Users
from application.user.shown_user import ShownUser
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class FindUser:
    """Guests have no id of the shop's and are found by their address only."""

    users: Users
    vault: Vault

    async def __call__(self, user: str, mode: Mode) -> ShownUser:
        """Find them.

        Raises:
            NotFound: unknown in this mode, or erased.
        """
        wanted = customer(self.vault, user, mode)
        row = (await self.users.get([wanted])).get(wanted)
        if row is None or row.data_key is None:
            raise NotFound("no such user")
        return ShownUser(row, opened(self.vault, row.id, row.data_key, row.profile))
