"""Devices, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.device.ports import DeviceRemoval, DeviceRow
from domain.device.device import DEVICES_MAX
from tests.support.memory.rows import MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDevices:
    """Implements `Devices`."""

    rows: MemoryRows

    async def of(self, user: UUID) -> list[DeviceRow]:
        return self.rows.devices_of(user)

    async def owners(self, users: Sequence[UUID]) -> frozenset[UUID]:
        return frozenset(user for user in users if self.rows.devices_of(user))

    async def put(self, devices: Sequence[DeviceRow]) -> frozenset[UUID]:
        missed = set()
        for device in devices:
            user = self.rows.users.get(device.user_id)
            if user is None or user.data_key is None or user.data_key != device.data_key:
                missed.add(device.user_id)
                continue
            self._put(device)
            for surplus in self.rows.devices_of(device.user_id)[DEVICES_MAX:]:
                del self.rows.devices[surplus.id]
        return frozenset(missed)

    def _put(self, device: DeviceRow) -> None:
        now = self.rows.clock.now()
        known = self.rows.devices.get(device.id)
        seen, registered = min(device.seen, now), min(device.registered, now)
        if known is not None and known.seen > seen:
            return
        if known is not None and known.user_id == device.user_id:
            registered = known.registered
        self.rows.devices[device.id] = msgspec.structs.replace(device, seen=seen, registered=registered)

    async def remove(self, devices: Sequence[DeviceRemoval]) -> frozenset[bytes]:
        gone = {
            each.id
            for each in devices
            if (known := self.rows.devices.get(each.id)) is not None
            and known.user_id == each.user_id
            and known.seen <= each.seen
        }
        for id_ in gone:
            del self.rows.devices[id_]
        return frozenset(gone)
