"""Erase users by the shop's id, or by an address, which is all that a guest has."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.privacy.opening import opened
from application.privacy.ports import Vault
from application.user.identity import customer, email_index, phone_index
from application.user.normalising import normalised
from application.user.ports import Addresses, User, Users
from domain.kernel.channel import Mode
from domain.kernel.errors import Fault, Invalid

PAGE = 500
NAMED_MAX = 100


class UserSelector(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be erased; exactly one is given."""

    user_id: str | None = None
    email: str | None = None
    phone: str | None = None


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """How many users were erased, and who was kept."""

    erased: int
    """Rows; none is no error: the same may be asked any number of times."""
    kept: int = 0
    """Customers who have the address, and were not to go with it."""
    kept_ids: tuple[str, ...] = ()
    """The shop's ids of the first hundred of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseUsers:
    """Deletes keys: what was sealed under them, contents too, can never be read again.

    Entries of suppressed addresses stay: they are keyed digests, and without them an erasure would let
    messages through again to who had opted out.
    """

    users: Users
    vault: Vault
    addresses: Addresses

    async def __call__(self, selector: UserSelector, mode: Mode, *, customers: bool = False) -> Erased:
        """Erase; what live keys ask for reaches the users of tests, too.

        Args:
            customers: whether those with the address go as well as guests.  Several may share it, and the
                shop knows them by their ids: who is not meant must not go by accident.

        Raises:
            Invalid: not one name, or no address.
            StoreUnavailable: part of it may be done; again is harmless.
        """
        if sum(value is not None for value in (selector.user_id, selector.email, selector.phone)) != 1:
            raise Invalid(Fault("", "missing", "give one of userId, email and phone"))
        if selector.user_id is not None:
            modes = tuple(Mode) if mode is Mode.LIVE else (mode,)
            users = [customer(self.vault, selector.user_id, each) for each in modes]
            return Erased(erased=await self.users.erase(users))
        reached = None if mode is Mode.LIVE else mode
        return await self._with(self._address(selector), reached, customers=customers)

    def _address(self, selector: UserSelector) -> dict[str, bytes]:
        """The index to look by."""
        written = {"email": selector.email} if selector.email is not None else {"phone": selector.phone}
        read, faults = normalised(written, self.addresses)
        if faults:
            raise Invalid(*faults)
        if email := read.get("email"):
            return {"email_index": email_index(self.vault, email)}
        if phone := read.get("phone"):
            return {"phone_index": phone_index(self.vault, phone)}
        raise Invalid(Fault(f"/{next(iter(written))}", "missing", "an address of somebody"))

    async def _with(self, index: dict[str, bytes], mode: Mode | None, *, customers: bool) -> Erased:
        erased, kept, names = 0, 0, list[str]()
        after: UUID | None = None
        while rows := await self.users.page(after, PAGE, mode=mode, **index):
            going = [row.id for row in rows if row.guest or customers]
            staying = [row for row in rows if not row.guest and not customers]
            erased += await self.users.erase(going) if going else 0
            kept += len(staying)
            names += self._ids(staying[: NAMED_MAX - len(names)])
            after = rows[-1].id
        return Erased(erased=erased, kept=kept, kept_ids=tuple(names))

    def _ids(self, rows: Sequence[User]) -> list[str]:
        return [user for row in rows if (user := self._user_id(row)) is not None]

    def _user_id(self, row: User) -> str | None:
        return opened(self.vault, row.id, row.data_key, row.profile).user_id
