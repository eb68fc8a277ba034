"""The store of devices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.kernel.channel import Mode
from domain.user.update import UpdatedUser, UserUpdate


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `devices`."""

    id: bytes
    """Keyed digest of the token (32 bytes): a token belongs to one user at a time."""
    user_id: UUID
    service: str
    platform: str
    sealed: bytes
    """A `Device` under the user's key."""
    data_key: bytes
    """The user's wrapped key that it is sealed under; of a row that was read, the one that the user has."""
    seen: datetime
    """When its app last registered it."""
    registered: datetime
    """When it was registered for this user first."""


class DeviceRemoval(msgspec.Struct, frozen=True, kw_only=True):
    """A device to delete, if it still is this user's."""

    id: bytes
    user_id: UUID
    seen: datetime
    """Not if it was seen after this."""


class Devices(Protocol):
    """Write and read `devices`.  Held to tests/contract/devices.py."""

    async def of(self, user: UUID) -> list[DeviceRow]:
        """Those of one user, the last seen first; none of an erased one."""
        ...

    async def owners(self, users: Sequence[UUID]) -> frozenset[UUID]:
        """Those of these users who have a device; nobody who is erased."""
        ...

    async def put(self, devices: Sequence[DeviceRow]) -> frozenset[UUID]:
        """Register set-wise, in one transaction; the ids are distinct.

        A token that another user had becomes this one's.  What was seen later stays.  Of the devices of a
        user only the last seen `DEVICES_MAX` are kept.

        Returns the users whose key is another one by now, or who are erased: nothing was written for them.

        Raises:
            StoreUnavailable.
        """
        ...

    async def remove(self, devices: Sequence[DeviceRemoval]) -> frozenset[bytes]:
        """Delete set-wise; return the ids of those that were there.

        Raises:
            StoreUnavailable.
        """
        ...


class LeasedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the user of a push delivery, and what became of the delivery on it so far."""

    id: bytes
    platform: str
    service: str | None = None
    sealed: bytes | None = None
    """None: it was removed since, or stands for the user as a whole."""
    seen: datetime | None = None
    outcome: str | None = None
    """Of its last call since the last replay, or the acceptance of before."""
    reason: str | None = None
    failed: str = ""
    """Providers that have failed with it in the present round, with commas between them."""


class DeviceResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt on one device."""

    device: bytes
    platform: str
    provider: str
    outcome: str
    """Tag, as of an attempt."""
    reference: str | None
    reason: str | None
    failed: str
    """Providers that have failed with it in the present round, with commas between them."""
    gone: datetime | None = None
    """The token is dead: the device is removed, if it was not seen since this time."""


class KnownUsers(Protocol):
    """`UpdateUsers`, for users whose device is known first."""

    async def __call__(
        self, updates: Sequence[UserUpdate], /, *, mode: Mode, drop_invalid: bool
    ) -> Sequence[UpdatedUser]:
        """One answer each, in order."""
        ...
