"""What a `Devices` must do."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from application.device.ports import DeviceRemoval, DeviceRow, Devices
from application.user.ports import User, Users
from domain.device.device import DEVICES_MAX

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def owner(users: Users) -> User:
    """A customer on file."""
    known = User(id=uuid4(), guest=False, data_key=uuid4().bytes, profile=b"sealed")
    await users.put([known])
    return known


def device(user: User, **changes: Any) -> DeviceRow:
    """A phone of theirs."""
    known: dict[str, Any] = {
        "id": uuid4().bytes * 2,
        "user_id": user.id,
        "service": "fcm",
        "platform": "android",
        "sealed": b"sealed",
        "data_key": user.data_key,
        "seen": NOON,
        "registered": NOON,
    }
    return DeviceRow(**(known | changes))


def removal(row: DeviceRow, **changes: Any) -> DeviceRemoval:
    """Of a device as it was read."""
    return DeviceRemoval(**({"id": row.id, "user_id": row.user_id, "seen": row.seen} | changes))


class DevicesContract:
    """Subclasses have fixtures `devices` and `users`: stores over the same rows, empty."""

    async def test_a_device_is_read_back(self, devices: Devices, users: Users) -> None:
        ada, other = await owner(users), await owner(users)
        row = device(ada, service="apns", platform="ios", sealed=b"x")

        assert await devices.put([row]) == frozenset()
        assert await devices.put([]) == frozenset()

        assert await devices.of(ada.id) == [row]
        assert await devices.of(other.id) == await devices.of(uuid4()) == []

    async def test_who_has_a_device_is_known(self, devices: Devices, users: Users) -> None:
        ada, erased, none = await owner(users), await owner(users), await owner(users)
        await devices.put([device(ada), device(ada), device(erased)])
        await users.erase([erased.id])

        assert await devices.owners([ada.id, erased.id, none.id, uuid4()]) == {ada.id}
        assert await devices.owners([]) == frozenset()

    async def test_seen_again_it_keeps_the_time_it_was_registered(
        self, devices: Devices, users: Users
    ) -> None:
        ada = await owner(users)
        row = device(ada)
        await devices.put([row])

        later = msgspec.structs.replace(row, sealed=b"y", seen=NOON + MINUTE, registered=NOON + MINUTE)
        await devices.put([later])
        assert await devices.of(ada.id) == [msgspec.structs.replace(later, registered=NOON)]

        await devices.put([row])
        assert (await devices.of(ada.id))[0].sealed == b"y"

    async def test_a_phone_that_is_handed_on_leaves_its_first_owner(
        self, devices: Devices, users: Users
    ) -> None:
        ada, bob = await owner(users), await owner(users)
        row = device(ada)
        await devices.put([row])

        late = device(bob, id=row.id, seen=NOON - MINUTE)
        await devices.put([late])
        assert (await devices.of(ada.id), await devices.of(bob.id)) == ([row], [])

        theirs = device(bob, id=row.id, seen=NOON + MINUTE, registered=NOON + MINUTE)
        await devices.put([theirs])
        assert (await devices.of(ada.id), await devices.of(bob.id)) == ([], [theirs])

    async def test_of_too_many_the_longest_unseen_goes(self, devices: Devices, users: Users) -> None:
        ada, bob = await owner(users), await owner(users)
        his = device(bob, seen=NOON - MINUTE)
        rows = [device(ada, seen=NOON + n * MINUTE) for n in range(DEVICES_MAX)]
        await devices.put([his, *rows])
        assert await devices.of(ada.id) == rows[::-1]

        newest = device(ada, seen=NOON + timedelta(hours=1))
        await devices.put([newest])

        assert await devices.of(ada.id) == [newest, *rows[:0:-1]]
        assert await devices.of(bob.id) == [his]

    async def test_devices_registered_at_once_are_not_too_many(self, devices: Devices, users: Users) -> None:
        ada = await owner(users)
        rows = [device(ada, seen=NOON + n * MINUTE) for n in range(2 * DEVICES_MAX)]

        await asyncio.gather(*(devices.put([row]) for row in rows))

        assert len(await devices.of(ada.id)) == DEVICES_MAX

    async def test_what_is_sealed_under_another_key_is_not_written(
        self, devices: Devices, users: Users
    ) -> None:
        ada, bob = await owner(users), await owner(users)
        strange, fine = device(ada, data_key=b"another"), device(bob)
        nobodys = device(ada, user_id=uuid4())

        assert await devices.put([strange, fine, nobodys]) == {ada.id, nobodys.user_id}

        assert (await devices.of(ada.id), await devices.of(bob.id)) == ([], [fine])

    async def test_who_is_erased_has_no_devices(self, devices: Devices, users: Users) -> None:
        ada, bob = await owner(users), await owner(users)
        hers, his = device(ada), device(bob)
        await devices.put([hers, his])

        await users.erase([ada.id])

        assert await devices.put([hers]) == {ada.id}
        await users.put([msgspec.structs.replace(ada, data_key=b"new")])
        assert (await devices.of(ada.id), await devices.of(bob.id)) == ([], [his])

    async def test_erasing_and_registering_at_once_leave_nothing(
        self, devices: Devices, users: Users
    ) -> None:
        crowd = [await owner(users) for _ in range(20)]

        await asyncio.gather(
            *(devices.put([device(each)]) for each in crowd), *(users.erase([each.id]) for each in crowd)
        )

        for each in crowd:
            await users.put([msgspec.structs.replace(each, data_key=b"new")])
        assert [row for each in crowd for row in await devices.of(each.id)] == []

    async def test_a_device_is_removed_if_it_is_still_theirs_and_not_seen_since(
        self, devices: Devices, users: Users
    ) -> None:
        ada = await owner(users)
        row, other = device(ada), device(ada)
        await devices.put([row, other])

        assert await devices.remove([removal(row, user_id=uuid4())]) == frozenset()
        assert await devices.remove([removal(row, seen=NOON - MINUTE)]) == frozenset()
        assert await devices.remove([removal(row), removal(row, id=b"none")]) == {row.id}
        assert await devices.remove([removal(row)]) == await devices.remove([]) == frozenset()
        assert await devices.of(ada.id) == [other]

    async def test_a_time_to_come_is_now(self, devices: Devices, users: Users) -> None:
        """The clocks of processes differ a little; nothing may look newer than what is registered next."""
        ada = await owner(users)
        future = datetime(2999, 1, 1, tzinfo=UTC)
        await devices.put([device(ada, seen=future, registered=future)])

        [found] = await devices.of(ada.id)
        assert found.seen < future
        assert found.registered < future
