"""Providers that were described through the API."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import msgspec
from sqlalchemy import select

from adapters.postgres.core import optimistic_locking
from adapters.postgres.core.catalog_tables import described_providers
from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import compiled, json_value
from application.kernel.versioned import Versioned
from application.provider.ports import DescribedProvider
from domain.kernel.number import read_json
from domain.provider.description import ProviderDescription

_C = described_providers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDescribedProviders:
    """Implements `DescribedProviders`."""

    database: Database

    async def versions(self) -> dict[str, int]:
        rows = await self.database.fetch(*compiled(select(_C.name, _C.version)))
        return {row["name"]: row["version"] for row in rows}

    async def many(self, names: Sequence[str]) -> list[Versioned[DescribedProvider]]:
        wanted = select(described_providers).where(_C.name.in_(list(names)))
        rows = await self.database.fetch(*compiled(wanted.order_by(_C.name.collate("C"))))
        return [_described(row) for row in rows]

    async def put(self, provider: DescribedProvider, *, expected: int | None) -> Versioned[DescribedProvider]:
        values = {"name": provider.name, "description": json_value(provider.description)}
        made = await optimistic_locking.put(self.database, described_providers, values, expected=expected)
        return Versioned(provider, *made)

    async def remove(self, name: str, *, expected: int) -> bool:
        return await optimistic_locking.remove(self.database, described_providers, name, expected=expected)


def _described(row: asyncpg.Record) -> Versioned[DescribedProvider]:
    described = DescribedProvider(
        name=row["name"], description=msgspec.convert(read_json(row["description"]), ProviderDescription)
    )
    return Versioned(described, row["version"], row["updated_at"])
