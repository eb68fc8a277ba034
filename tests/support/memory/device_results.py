"""Devices of push deliveries and their results, in memory."""

import msgspec

from application.delivery.ports import Settlement
from application.delivery.views import DeviceResultView
from application.device.ports import LeasedDevice
from tests.support.memory.rows import DeliveryRow, DeviceResultRow, MemoryRows


def leased_devices(rows: MemoryRows, delivery: DeliveryRow) -> tuple[LeasedDevice, ...]:
    """As `with_devices` reads them."""
    if delivery.channel != "push":
        return ()
    known = {row.id: row for row in rows.devices_of(delivery.user_id)}
    results = {
        device: row.result
        for (id_, device), row in sorted(rows.device_results.items())
        if id_ == delivery.id and (row.result.outcome == "accepted" or row.epoch == delivery.epoch)
    }
    found = []
    for id_ in [*known, *(device for device in results if device not in known)]:
        row, result = known.get(id_), results.get(id_)
        found.append(
            LeasedDevice(
                id=id_,
                platform=row.platform if row else result.platform if result else "",
                service=row.service if row else None,
                sealed=row.sealed if row else None,
                seen=row.seen if row else None,
                outcome=result.outcome if result else None,
                reason=result.reason if result else None,
                failed=result.failed if result else "",
            )
        )
    return tuple(found)


def write_results(rows: MemoryRows, delivery: DeliveryRow, given: Settlement) -> None:
    """As `write_results` of PostgreSQL does."""
    if not given.devices:
        return
    for result in given.devices:
        rows.device_results[delivery.id, result.device] = DeviceResultRow(
            epoch=delivery.epoch, attempt=given.attempt, result=result, at=rows.clock.now()
        )
        known = rows.devices.get(result.device)
        if result.gone is not None and known is not None and known.seen <= result.gone:
            del rows.devices[result.device]
    if given.failovers == 0:
        for (id_, _), row in rows.device_results.items():
            if id_ == delivery.id:
                row.result = msgspec.structs.replace(row.result, failed="")


def shown_results(rows: MemoryRows, delivery: DeliveryRow) -> list[DeviceResultView]:
    """As `device_results` reads them."""
    found = [
        DeviceResultView(
            device=device,
            platform=row.result.platform,
            provider=row.result.provider,
            attempt=row.attempt,
            outcome=row.result.outcome,
            reason=row.result.reason,
            reference=row.result.reference,
            at=row.at,
        )
        for (id_, device), row in rows.device_results.items()
        if id_ == delivery.id
    ]
    return sorted(found, key=lambda row: (row.attempt, row.device))
