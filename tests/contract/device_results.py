"""What a `Deliveries` must do with the devices of push deliveries, together with `Devices` and `Reader`."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from application.dead_letter.ports import DeadLetters
from application.delivery.ports import Begin, Deliveries, Leased, Settlement
from application.device.ports import DeviceResult, DeviceRow, Devices
from application.notification.ports import Acceptance, Reader
from application.outbox.pointers import Pointer
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, Priority
from tests.support.accepting import notification, user

PUSH = Lane("push", Priority.MEDIUM)
LEASE = timedelta(seconds=30)


def result(device: bytes, outcome: str = "accepted", **changes: Any) -> DeviceResult:
    """Of a call."""
    known: dict[str, Any] = {
        "device": device,
        "platform": "ios",
        "provider": "apns",
        "outcome": outcome,
        "reference": None,
        "reason": None,
        "failed": "",
    }
    return DeviceResult(**(known | changes))


class DeviceResultsContract:
    """Subclasses have the fixtures that the tests name, over the same rows."""

    async def _push(
        self, acceptance: Acceptance, devices: Devices, count: int = 2, lane: Lane = PUSH
    ) -> tuple[UUID, UUID, list[DeviceRow]]:
        ada = user()
        new = notification(ada, lane=lane)
        await acceptance.accept([new], [ada], lambda _: [])
        rows = [
            DeviceRow(
                id=uuid4().bytes * 2,
                user_id=ada.id,
                service="apns",
                platform="ios",
                sealed=b"sealed",
                data_key=ada.data_key,
                seen=new.created_at - timedelta(hours=n + 1),
                registered=new.created_at - timedelta(days=1),
            )
            for n in range(count)
        ]
        assert await devices.put(rows) == frozenset()
        return new.id, new.deliveries[0].id, rows

    async def _lease(self, deliveries: Deliveries, delivery: UUID, seq: int = 1) -> Leased:
        leases = await deliveries.lease([Pointer(delivery, seq)], lease=LEASE)
        [leased] = leases.taken
        assert await deliveries.begin(
            [Begin(delivery=delivery, attempt=leased.attempt, provider="apns")], cleared_at=leases.facts_at
        )
        return leased

    async def _settle(
        self, deliveries: Deliveries, leased: Leased, *results: DeviceResult, **changes: Any
    ) -> None:
        known: dict[str, Any] = {
            "delivery": leased.id,
            "attempt": leased.attempt,
            "status": DeliveryStatus.QUEUED,
            "reason": "later",
            "outcome": "deferred",
            "devices": results,
        }
        assert not (await deliveries.settle([Settlement(**(known | changes))])).overtaken

    async def test_a_push_delivery_is_leased_with_the_devices_of_its_user(
        self, acceptance: Acceptance, deliveries: Deliveries, devices: Devices
    ) -> None:
        _, delivery, rows = await self._push(acceptance, devices)
        await self._push(acceptance, devices)
        leased = await self._lease(deliveries, delivery)
        assert [(each.id, each.sealed, each.seen) for each in leased.devices] == [
            (row.id, row.sealed, row.seen) for row in rows
        ]
        assert [(each.outcome, each.failed) for each in leased.devices] == [(None, "")] * 2

    async def test_other_channels_have_no_devices(
        self, acceptance: Acceptance, deliveries: Deliveries, devices: Devices
    ) -> None:
        _, delivery, _ = await self._push(acceptance, devices, lane=Lane("email", Priority.MEDIUM))
        assert (await self._lease(deliveries, delivery)).devices == ()

    async def test_results_come_back_with_the_next_lease_and_are_shown(
        self, acceptance: Acceptance, deliveries: Deliveries, devices: Devices, reader: Reader
    ) -> None:
        id_, delivery, (one, two) = await self._push(acceptance, devices)
        leased = await self._lease(deliveries, delivery)
        await self._settle(
            deliveries,
            leased,
            result(one.id, reference="r"),
            result(two.id, "deferred", reason="503", failed="apns"),
            failovers=1,
        )

        again = await self._lease(deliveries, delivery, seq=2)
        assert [(each.id, each.outcome, each.failed) for each in again.devices] == [
            (one.id, "accepted", ""),
            (two.id, "deferred", "apns"),
        ]
        await self._settle(
            deliveries, again, result(two.id, "deferred", reason="503", failed="apns"), failovers=0
        )
        last = await self._lease(deliveries, delivery, seq=3)
        assert [each.failed for each in last.devices] == ["", ""], "a new round"
        [shown] = await reader.deliveries(id_, None, 10)
        assert {(each.device, each.attempt, each.outcome, each.reference) for each in shown.devices} == {
            (one.id, 1, "accepted", "r"),
            (two.id, 2, "deferred", None),
        }

    async def test_who_is_overtaken_writes_no_results(
        self, acceptance: Acceptance, deliveries: Deliveries, devices: Devices, reader: Reader
    ) -> None:
        id_, delivery, (one, _) = await self._push(acceptance, devices)
        leased = await self._lease(deliveries, delivery)
        late = Settlement(
            delivery=delivery,
            attempt=leased.attempt - 1,
            status=DeliveryStatus.SENT,
            outcome="accepted",
            devices=(result(one.id, gone=one.seen),),
        )
        assert (await deliveries.settle([late])).overtaken == [delivery]
        [shown] = await reader.deliveries(id_, None, 10)
        assert shown.devices == []
        assert len(await devices.of(one.user_id)) == 2

    async def test_a_dead_token_goes_unless_it_was_seen_since(
        self, acceptance: Acceptance, deliveries: Deliveries, devices: Devices
    ) -> None:
        _, delivery, (one, two) = await self._push(acceptance, devices)
        leased = await self._lease(deliveries, delivery)
        seen = leased.accepted_at
        await devices.put([msgspec.structs.replace(two, seen=seen)])
        await self._settle(
            deliveries,
            leased,
            result(one.id, "refused", gone=one.seen),
            result(two.id, "refused", gone=two.seen),
        )

        assert [row.id for row in await devices.of(one.user_id)] == [two.id]
        again = await self._lease(deliveries, delivery, seq=2)
        gone = next(each for each in again.devices if each.id == one.id)
        assert (gone.outcome, gone.sealed, gone.service) == ("refused", None, None)

    async def test_a_replay_asks_all_again_but_those_that_accepted(
        self, acceptance: Acceptance, deliveries: Deliveries, devices: Devices, letters: DeadLetters
    ) -> None:
        _, delivery, (one, two) = await self._push(acceptance, devices)
        leased = await self._lease(deliveries, delivery)
        await self._settle(
            deliveries,
            leased,
            result(one.id),
            result(two.id, "refused"),
            status=DeliveryStatus.FAILED,
            outcome="refused",
            failovers=0,
        )
        await letters.replay([Pointer(delivery, 2)], "op")
        again = await self._lease(deliveries, delivery, seq=3)
        assert [(each.id, each.outcome) for each in again.devices] == [(one.id, "accepted"), (two.id, None)]
