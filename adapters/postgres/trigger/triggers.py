"""Triggers, each whole in one JSON column."""

from dataclasses import dataclass

import asyncpg
import msgspec
from sqlalchemy import ColumnElement, select

from adapters.postgres.core import optimistic_locking
from adapters.postgres.core.catalog_tables import triggers
from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import compiled, json_value
from application.kernel.versioned import Versioned
from domain.kernel.number import read_json
from domain.trigger.trigger import Trigger

by_id = triggers.c.id.collate("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresTriggers:
    """Implements `Triggers`."""

    database: Database

    async def get(self, trigger: str) -> Versioned[Trigger] | None:
        return next(iter(await self._read(triggers.c.id == trigger, limit=1)), None)

    async def put(self, trigger: Trigger, *, expected: int | None) -> Versioned[Trigger]:
        values = {
            "id": trigger.id,
            "event_type": trigger.event,
            "enabled": trigger.enabled,
            "definition": json_value(trigger),
        }
        return Versioned(
            trigger, *await optimistic_locking.put(self.database, triggers, values, expected=expected)
        )

    async def delete(self, trigger: str, *, expected: int | None) -> bool:
        return await optimistic_locking.remove(self.database, triggers, trigger, expected=expected)

    async def page(self, after: str, limit: int) -> list[Versioned[Trigger]]:
        return await self._read(by_id > after, limit=limit)

    async def _read(self, wanted: ColumnElement[bool], limit: int) -> list[Versioned[Trigger]]:
        query = select(triggers).where(wanted).order_by(by_id).limit(limit)
        return [_trigger(row) for row in await self.database.fetch(*compiled(query))]


def _trigger(row: asyncpg.Record) -> Versioned[Trigger]:
    return Versioned(
        msgspec.convert(read_json(row["definition"]), Trigger), row["version"], row["updated_at"]
    )
