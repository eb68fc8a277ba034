"""Channel configurations."""

from dataclasses import dataclass

from sqlalchemy import RowMapping, select

from adapters.postgres.core import versioned
from adapters.postgres.core.catalog_tables import channel_configurations
from adapters.postgres.core.database import Database
from application.channel.ports import Channel, WhenDisabled
from application.kernel.versioned import Versioned

_NAME = channel_configurations.c.channel


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresChannels:
    """Implements `Channels`."""

    database: Database

    async def get(self, channel: str) -> Versioned[Channel] | None:
        async with self.database.begin() as connection:
            rows = await connection.execute(select(channel_configurations).where(channel == _NAME))
            return next((_channel(row) for row in rows.mappings()), None)

    async def put(self, channel: Channel, *, expected: int | None) -> Versioned[Channel]:
        values = {
            "channel": channel.channel,
            "is_enabled": channel.enabled,
            "is_paused": channel.paused,
            "when_disabled": channel.when_disabled,
            "providers": list(channel.providers),
        }
        row = await versioned.put(self.database, channel_configurations, values, expected=expected)
        return Versioned(channel, row.version, row.updated_at)

    async def all(self) -> list[Versioned[Channel]]:
        async with self.database.begin() as connection:
            rows = await connection.execute(select(channel_configurations).order_by(_NAME.collate("C")))
            return [_channel(row) for row in rows.mappings()]


def _channel(row: RowMapping) -> Versioned[Channel]:
    channel = Channel(
        channel=row["channel"],
        enabled=row["is_enabled"],
        paused=row["is_paused"],
        when_disabled=WhenDisabled(row["when_disabled"]),
        providers=tuple(row["providers"]),
    )
    return Versioned(channel, row["version"], row["updated_at"])
