"""Dead letters as they are shown and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, Select, any_, func, literal, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.core.database import Database
from adapters.postgres.core.metadata import Id
from adapters.postgres.core.operation_tables import dead_letter_queue
from adapters.postgres.core.statement import RowsStatement, compiled
from application.dead_letter.ports import DeadLetter, DeadLetterStatus, Group, Selection
from application.outbox.pointers import Pointer
from domain.kernel.channel import Priority
from domain.kernel.moments import clamped

_L = dead_letter_queue.c
_RENAMED = {"delivery": _L.delivery_id, "notification": _L.notification_id}
_LETTER = select(
    *(
        (_RENAMED[field] if field in _RENAMED else _L[field]).label(field)
        for field in DeadLetter.__struct_fields__
    )
)
_ORDER = (_L.created_at, _L.delivery_id, _L.seq)

# A broker gives up messages that came too often: what they point to may be waiting still.
_NEEDED = RowsStatement(
    """
SELECT p.delivery, p.seq FROM :rows AS p
WHERE EXISTS (
    SELECT FROM dead_letter_queue AS q
    WHERE q.delivery_id = p.delivery AND q.seq = p.seq AND q.closed_at IS NULL
) OR EXISTS (
    SELECT FROM notification_deliveries AS d
    WHERE d.id = p.delivery AND d.seq = p.seq AND d.status IN ('queued', 'sending')
)
""",
    Pointer,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDeadLetterReader:
    """Implements `DeadLetterReader`."""

    database: Database

    async def page(
        self, wanted: Selection, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> list[DeadLetter]:
        query = _LETTER.where(*matching(wanted))
        if before is not None:
            query = query.where(tuple_(*_ORDER) < tuple_(*map(literal, before)))
        rows = await self._rows(query.order_by(*(column.desc() for column in _ORDER)).limit(limit))
        return [DeadLetter(**{**row, "priority": Priority(row["priority"]).label}) for row in rows]

    async def groups(self, wanted: Selection, after: tuple[int, str] | None, limit: int) -> list[Group]:
        count = func.count()
        sizes = (
            select(
                _L.fingerprint,
                count.label("count"),
                func.min(_L.created_at).label("first_at"),
                func.max(_L.created_at).label("last_at"),
            )
            .where(*matching(wanted))
            .group_by(_L.fingerprint)
            .order_by(count.desc(), _L.fingerprint)
            .limit(limit)
        )
        if after is not None:
            sizes = sizes.having(
                tuple_(-count, _L.fingerprint) > tuple_(literal(-after[0]), literal(after[1]))
            )
        groups = sizes.subquery("groups")
        newest = (
            select(_L.channel, _L.provider, _L.reason)
            .where(*matching(wanted), _L.fingerprint == groups.c.fingerprint)
            .order_by(*(column.desc() for column in _ORDER))
            .limit(1)
            .lateral("newest")
        )
        query = (
            select(groups, newest)
            .join_from(groups, newest, true())
            .order_by(groups.c.count.desc(), groups.c.fingerprint)
        )
        return [Group(**row) for row in await self._rows(query)]

    async def count(self, wanted: Selection) -> int:
        [row] = await self._rows(select(func.count().label("count")).where(*matching(wanted)))
        return int(row["count"])

    async def needed(self, pointers: Sequence[Pointer]) -> frozenset[Pointer]:
        """One statement, which finds letters and deliveries by their keys."""
        rows = await self.database.fetch(*_NEEDED(pointers))
        return frozenset(Pointer(row["delivery"], row["seq"]) for row in rows)

    async def _rows(self, query: Select[Any]) -> list[asyncpg.Record]:  # the columns differ
        return await self.database.fetch_list(*compiled(query))


def matching(wanted: Selection) -> list[ColumnElement[bool]]:
    """The conditions that a selection stands for."""
    conditions = [_L.mode == wanted.mode, *_standing(wanted.status)]
    named = ("fingerprint", "channel", "provider", "type")
    conditions += [_L[name] == value for name in named if (value := getattr(wanted, name)) is not None]
    if wanted.deliveries:
        conditions.append(_L.delivery_id == any_(literal(list(wanted.deliveries), ARRAY(Id))))
    if wanted.notification is not None:
        conditions.append(_L.notification_id == wanted.notification)
    if wanted.since is not None:
        conditions.append(_L.created_at >= clamped(wanted.since))
    if wanted.until is not None:
        conditions.append(_L.created_at < clamped(wanted.until))
    return conditions


def _standing(status: DeadLetterStatus) -> list[ColumnElement[bool]]:
    if status is DeadLetterStatus.OPEN:
        return [_L.closed_at.is_(None)]
    return [_L.closed_at.is_not(None), _L.resolution == status.value]
