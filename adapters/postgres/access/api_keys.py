"""API keys, found by the keyed digest of their secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.core.catalog_tables import api_keys
from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import compiled
from application.access.ports import ApiKey
from domain.kernel.channel import Mode
from domain.kernel.errors import Conflict

_KEY = select(*(api_keys.c[field] for field in ApiKey.__struct_fields__))


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresApiKeys:
    """Implements `ApiKeys`."""

    database: Database

    async def add(self, key: ApiKey, digest: bytes) -> None:
        values = {**msgspec.structs.asdict(key), "digest": digest}
        creation = insert(api_keys).values(**values).on_conflict_do_nothing().returning(api_keys.c.id)
        if not await self.database.fetch(*compiled(creation)):
            raise Conflict(f"an API key like {key.prefix}… exists")

    async def find(self, digest: bytes) -> ApiKey | None:
        rows = await self.database.fetch(*compiled(_KEY.where(api_keys.c.digest == digest)))
        return _key(rows[0]) if rows else None

    async def revoke(self, key: UUID, at: datetime) -> bool:
        revocation = (
            update(api_keys)
            .where(api_keys.c.id == key)
            .values(revoked_at=func.coalesce(api_keys.c.revoked_at, at))
            .returning(api_keys.c.id)
        )
        return bool(await self.database.fetch(*compiled(revocation)))

    async def all(self) -> Sequence[ApiKey]:
        every = _KEY.order_by(api_keys.c.created_at, api_keys.c.id)
        return [_key(row) for row in await self.database.fetch(*compiled(every))]


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(**{**row, "mode": Mode(row["mode"])})
