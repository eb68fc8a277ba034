"""Devices of push deliveries: read with the lease, their results written with the settlement."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from application.delivery.ports import Leased, Settlement
from application.delivery.views import DeviceResultView
from application.device.ports import LeasedDevice

PUSH = "push"


class _Of(msgspec.Struct, frozen=True):
    """A delivery and its user."""

    delivery: UUID
    user_id: UUID


class _ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One result, as `_WRITE` takes it."""

    delivery: UUID
    device: bytes
    attempt: int
    platform: str
    provider: str
    outcome: str
    reference: str | None
    reason: str | None
    failed: str
    gone: datetime | None


# A device that was removed since counts on by its result.
_READ = RowsStatement(
    """
SELECT
    coalesce(v.delivery, r.delivery_id) AS delivery, coalesce(v.id, r.device) AS id,
    coalesce(v.platform, r.platform) AS platform, v.service, v.sealed, v.seen,
    r.outcome, r.reason, coalesce(r.failed, '') AS failed
FROM (
    SELECT g.delivery, d.id, d.platform, d.service, d.sealed, d.seen
    FROM :rows AS g JOIN devices AS d ON d.user_id = g.user_id
) AS v
FULL JOIN (
    SELECT r.* FROM :rows AS g
    JOIN notification_deliveries AS n ON n.id = g.delivery
    JOIN delivery_devices AS r ON r.delivery_id = g.delivery
    WHERE r.outcome = 'accepted' OR r.epoch = n.epoch
) AS r ON r.delivery_id = v.delivery AND r.device = v.id
ORDER BY v.seen DESC NULLS LAST, id
""",
    _Of,
)

_WRITE = RowsStatement(
    """
WITH written AS (
    INSERT INTO delivery_devices AS known (
        delivery_id, device, epoch, attempt, platform, provider, outcome, reference, reason, failed
    )
    SELECT
        g.delivery, g.device, n.epoch, g.attempt, g.platform, g.provider, g.outcome, g.reference, g.reason,
        g.failed
    FROM :rows AS g JOIN notification_deliveries AS n ON n.id = g.delivery
    ON CONFLICT (delivery_id, device) DO UPDATE SET
        epoch = excluded.epoch, attempt = excluded.attempt, provider = excluded.provider,
        outcome = excluded.outcome, reference = excluded.reference, reason = excluded.reason,
        failed = excluded.failed, at = now()
)
DELETE FROM devices AS d USING :rows AS g WHERE g.gone IS NOT NULL AND d.id = g.device AND d.seen <= g.gone
""",
    _ResultRow,
)

_SHOWN = """
SELECT delivery_id, device, platform, provider, attempt, outcome, reason, reference, at
FROM delivery_devices WHERE delivery_id = ANY($1::uuid[]) ORDER BY delivery_id, attempt, device
"""

_NEW_ROUND = "UPDATE delivery_devices SET failed = '' WHERE delivery_id = ANY($1::uuid[]) AND failed <> ''"


async def with_devices(database: Database, taken: Sequence[Leased]) -> list[Leased]:
    """The same deliveries, those of push with the devices of their users."""
    push = [_Of(leased.id, leased.user) for leased in taken if leased.channel == PUSH]
    if not push:
        return list(taken)
    found: dict[UUID, list[LeasedDevice]] = {}
    for row in await database.fetch(*_READ(push)):
        known = dict(row)
        found.setdefault(known.pop("delivery"), []).append(LeasedDevice(**known))
    return [
        msgspec.structs.replace(leased, devices=tuple(found[leased.id])) if leased.id in found else leased
        for leased in taken
    ]


async def device_results(
    database: Database, deliveries: Sequence[UUID]
) -> dict[UUID, list[DeviceResultView]]:
    """What became of these deliveries on each device that was called; in the order of the calls."""
    results: dict[UUID, list[DeviceResultView]] = {}
    if not deliveries:
        return results
    for row in await database.fetch_list(_SHOWN, deliveries):
        known = dict(row)
        results.setdefault(known.pop("delivery_id"), []).append(DeviceResultView(**known))
    return results


async def write_results(connection: Connection, settlements: Iterable[Settlement]) -> None:
    """Within the transaction that settles them."""
    ours = [settlement for settlement in settlements if settlement.devices]
    if not ours:
        return
    rows = [
        _ResultRow(
            delivery=settlement.delivery,
            attempt=settlement.attempt,
            **{name: getattr(result, name) for name in _RESULT},
        )
        for settlement in ours
        for result in settlement.devices
    ]
    await connection.fetch(*_WRITE(sorted(rows, key=lambda row: (row.delivery, row.device))))
    if ended := [settlement.delivery for settlement in ours if settlement.failovers == 0]:
        await connection.fetch(_NEW_ROUND, ended)


_RESULT = ("device", "platform", "provider", "outcome", "reference", "reason", "failed", "gone")
