"""The devices of one user."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from application.device.ports import DeviceRow, Devices
from application.privacy.ports import Unreadable, Vault
from application.privacy.sealing import open_device
from application.user.identity import customer
from application.user.ports import Users
from domain.device.device import Device
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound


class ShownDevice(msgspec.Struct, frozen=True):
    """A row of `devices` and what it contains; None: it cannot be opened."""

    row: DeviceRow
    device: Device | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDevices:
    """Opens what is sealed; at most `DEVICES_MAX`."""

    devices: Devices
    users: Users
    vault: Vault

    async def __call__(self, user: str, mode: Mode) -> Sequence[ShownDevice]:
        """The last seen first.

        Raises:
            NotFound: no such user in this mode, or erased.
        """
        wanted = customer(self.vault, user, mode)
        row = (await self.users.get([wanted])).get(wanted)
        if row is None or row.data_key is None:
            raise NotFound("no such user")
        return [ShownDevice(each, self._opened(each)) for each in await self.devices.of(wanted)]

    def _opened(self, row: DeviceRow) -> Device | None:
        try:
            return open_device(self.vault.unwrap(row.data_key, row.user_id), row.id, row.sealed)
        except Unreadable:
            return None
