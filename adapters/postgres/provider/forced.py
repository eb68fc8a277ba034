"""What operators have decided about providers."""

from dataclasses import dataclass

import asyncpg
from sqlalchemy import select

from adapters.postgres.core import optimistic_locking
from adapters.postgres.core.catalog_tables import provider_states
from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import compiled
from application.kernel.versioned import Versioned
from domain.provider.forcing import Forced, ForcedProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresForcedProviders:
    """Implements `ForcedProviders`."""

    database: Database

    async def all(self) -> list[Versioned[ForcedProvider]]:
        query = select(provider_states).order_by(provider_states.c.provider.collate("C"))
        return [_forced(row) for row in await self.database.fetch(*compiled(query))]

    async def put(self, forced: ForcedProvider) -> Versioned[ForcedProvider]:
        values = {name: getattr(forced, name) for name in ForcedProvider.__struct_fields__}
        made = await optimistic_locking.put(self.database, provider_states, values, expected=None)
        return Versioned(forced, *made)


def _forced(row: asyncpg.Record) -> Versioned[ForcedProvider]:
    said = {name: row[name] for name in ForcedProvider.__struct_fields__}
    value = ForcedProvider(**{**said, "forced": Forced(row["forced"])})
    return Versioned(value, row["version"], row["updated_at"])
