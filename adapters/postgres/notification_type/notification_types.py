"""Registered types of notifications, each whole in one JSON column."""

from dataclasses import dataclass

import asyncpg
import msgspec
from sqlalchemy import ColumnElement, select

from adapters.postgres.core import optimistic_locking
from adapters.postgres.core.catalog_tables import notification_types
from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import compiled, json_value
from application.kernel.versioned import Versioned
from domain.kernel.number import read_json
from domain.notification_type.notification_type import NotificationType

by_id = notification_types.c.id.collate("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresNotificationTypes:
    """Implements `NotificationTypes`."""

    database: Database

    async def get(self, kind: str) -> Versioned[NotificationType] | None:
        return next(iter(await self._read(notification_types.c.id == kind, limit=1)), None)

    async def put(self, kind: NotificationType, *, expected: int | None) -> Versioned[NotificationType]:
        values = {"id": kind.id, "definition": json_value(kind)}
        written = await optimistic_locking.put(self.database, notification_types, values, expected=expected)
        return Versioned(kind, *written)

    async def delete(self, kind: str, *, expected: int | None) -> bool:
        return await optimistic_locking.remove(self.database, notification_types, kind, expected=expected)

    async def page(self, after: str, limit: int) -> list[Versioned[NotificationType]]:
        return await self._read(by_id > after, limit=limit)

    async def _read(self, wanted: ColumnElement[bool], limit: int) -> list[Versioned[NotificationType]]:
        query = select(notification_types).where(wanted).order_by(by_id).limit(limit)
        return [_kind(row) for row in await self.database.fetch(*compiled(query))]


def _kind(row: asyncpg.Record) -> Versioned[NotificationType]:
    kind = msgspec.convert(read_json(row["definition"]), NotificationType)
    return Versioned(kind, row["version"], row["updated_at"])
