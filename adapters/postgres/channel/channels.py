"""Channel configurations."""

from dataclasses import dataclass

import asyncpg
from sqlalchemy import select

from adapters.postgres.core import optimistic_locking
from adapters.postgres.core.catalog_tables import channel_configurations
from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import compiled
from application.channel.ports import Channel, WhenDisabled
from application.kernel.versioned import Versioned
from domain.kernel.channel import AddressedBy

_C = channel_configurations.c
_ROWS = select(channel_configurations)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresChannels:
    """Implements `Channels`."""

    database: Database

    async def get(self, channel: str) -> Versioned[Channel] | None:
        rows = await self.database.fetch(*compiled(_ROWS.where(_C.channel == channel)))
        return _channel(rows[0]) if rows else None

    async def put(self, channel: Channel, *, expected: int | None) -> Versioned[Channel]:
        values = {
            "channel": channel.channel,
            "is_enabled": channel.enabled,
            "is_paused": channel.paused,
            "when_disabled": channel.when_disabled,
            "providers": list(channel.providers),
            "addressed_by": channel.addressed_by,
        }
        made = await optimistic_locking.put(self.database, channel_configurations, values, expected=expected)
        return Versioned(channel, *made)

    async def all(self) -> list[Versioned[Channel]]:
        rows = await self.database.fetch(*compiled(_ROWS.order_by(_C.channel.collate("C"))))
        return [_channel(row) for row in rows]

    async def remove(self, channel: str, *, expected: int) -> bool:
        return await optimistic_locking.remove(
            self.database, channel_configurations, channel, expected=expected
        )


def _channel(row: asyncpg.Record) -> Versioned[Channel]:
    channel = Channel(
        channel=row["channel"],
        enabled=row["is_enabled"],
        paused=row["is_paused"],
        when_disabled=WhenDisabled(row["when_disabled"]),
        providers=tuple(row["providers"]),
        addressed_by=AddressedBy(row["addressed_by"]) if row["addressed_by"] else None,
    )
    return Versioned(channel, row["version"], row["updated_at"])
