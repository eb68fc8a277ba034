"""Devices, in `devices`."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from application.device.ports import DeviceRemoval, DeviceRow
from domain.device.device import DEVICES_MAX

_OF = """
SELECT d.id, d.user_id, d.service, d.platform, d.sealed, u.data_key, d.seen, d.registered
FROM devices AS d JOIN users AS u ON u.id = d.user_id
WHERE d.user_id = $1 AND u.data_key IS NOT NULL
ORDER BY d.seen DESC, d.id
"""

_OWNERS = """
SELECT u.id FROM users AS u
WHERE u.id = ANY($1::uuid[]) AND u.data_key IS NOT NULL AND EXISTS (
    SELECT FROM devices AS d WHERE d.user_id = u.id
)
"""

# Erasing waits for this lock, or this waits for erasing and finds no key.  Who else registers a device of the
# same user waits, too.
_KEYS = "SELECT id, data_key FROM users WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

_PUT = RowsStatement(
    """
INSERT INTO devices AS known (id, user_id, service, platform, sealed, seen, registered)
SELECT id, user_id, service, platform, sealed, least(seen, now()), least(registered, now())
FROM :rows AS given ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    user_id = excluded.user_id,
    service = excluded.service,
    platform = excluded.platform,
    sealed = excluded.sealed,
    seen = excluded.seen,
    registered = CASE known.user_id WHEN excluded.user_id THEN known.registered ELSE excluded.registered END
WHERE excluded.seen >= known.seen
""",
    DeviceRow,
)

_PRUNE = """
DELETE FROM devices WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY seen DESC, id) AS place
        FROM devices WHERE user_id = ANY($1::uuid[])
    ) AS placed
    WHERE place > $2
)
"""

_REMOVE = RowsStatement(
    """
DELETE FROM devices AS d USING :rows AS gone
WHERE d.id = gone.id AND d.user_id = gone.user_id AND d.seen <= gone.seen
RETURNING d.id
""",
    DeviceRemoval,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDevices:
    """Implements `Devices`."""

    database: Database

    async def of(self, user: UUID) -> list[DeviceRow]:
        return [DeviceRow(**row) for row in await self.database.fetch(_OF, user)]

    async def owners(self, users: Sequence[UUID]) -> frozenset[UUID]:
        return frozenset(row["id"] for row in await self.database.fetch(_OWNERS, list(users)))

    async def put(self, devices: Sequence[DeviceRow]) -> frozenset[UUID]:
        if not devices:
            return frozenset()
        users = sorted({device.user_id for device in devices})

        async def work(connection: Connection) -> frozenset[UUID]:
            rows = await connection.fetch(_KEYS, users)
            keys = {row["id"]: row["data_key"] for row in rows}
            ours = [device for device in devices if keys.get(device.user_id) == device.data_key]
            await connection.fetch(*_PUT(ours))
            await connection.fetch(_PRUNE, users, DEVICES_MAX)
            return frozenset(users) - {device.user_id for device in ours}

        return await self.database.run(work)

    async def remove(self, devices: Sequence[DeviceRemoval]) -> frozenset[bytes]:
        given = sorted(devices, key=lambda device: device.id)
        return frozenset(row["id"] for row in await self.database.fetch(*_REMOVE(given)))
