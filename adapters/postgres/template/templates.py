"""Templates: immutable versions, one row each."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import ColumnElement, Select, func, insert, select, update

from adapters.postgres.core.catalog_tables import notification_templates as rows
from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import compiled, json_value
from application.template.ports import TemplateHead
from domain.kernel.errors import Conflict, NotFound
from domain.kernel.json_values import Json
from domain.kernel.number import read_json
from domain.template.template import Template, Variable

by_id = rows.c.id.collate("C")
"""Ids sort by code point everywhere, whatever the database's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresTemplates:
    """Implements `Templates`.  Writers of one template take turns (advisory lock on its id)."""

    database: Database

    async def find(self, template: str, version: int | None = None) -> Template | None:
        which = rows.c.is_active if version is None else rows.c.version == version
        found = await self.database.fetch(*compiled(select(rows).where(rows.c.id == template, which)))
        return _template(found[0]) if found else None

    async def add(self, draft: Template, *, expected: int | None, activate: bool) -> Template:
        async def work(connection: Connection) -> Template:
            await _lock(connection, draft.id)
            latest = await _latest(connection, draft.id)
            if expected not in (None, latest):
                raise Conflict(f"template '{draft.id}' is at version {latest}, not {expected}")
            if activate:
                await _deactivate(connection, draft.id)
            saved = msgspec.structs.replace(draft, version=latest + 1)
            await connection.execute(*compiled(insert(rows).values(**_values(saved), is_active=activate)))
            return saved

        return await self.database.run(work)

    async def activate(self, template: str, version: int | None, *, expected: int | None) -> TemplateHead:
        async def work(connection: Connection) -> TemplateHead:
            await _lock(connection, template)
            latest = await _latest(connection, template)
            if latest == 0:
                raise NotFound(f"there is no template '{template}'")
            if expected not in (None, latest):
                raise Conflict(f"template '{template}' is at version {latest}, not {expected}")
            await _deactivate(connection, template)
            if version is not None:
                this = (rows.c.id == template, rows.c.version == version)
                chosen = update(rows).where(*this).values(is_active=True).returning(rows.c.version)
                if not await connection.fetch(*compiled(chosen)):
                    raise NotFound(f"template '{template}' has no version {version}")
            [head] = await connection.fetch(*compiled(_heads(rows.c.id == template)))
            return TemplateHead(**head)

        return await self.database.run(work)

    async def page(
        self, after: str, limit: int, *, channel: str | None = None, template: str | None = None
    ) -> list[TemplateHead]:
        query = _heads(by_id > after).limit(limit)
        if channel is not None:
            query = query.where(rows.c.channel == channel)
        if template is not None:
            query = query.where(rows.c.id == template)
        return [TemplateHead(**row) for row in await self.database.fetch_list(*compiled(query))]


def _heads(wanted: ColumnElement[bool]) -> Select[Any]:  # the columns differ
    """Newest version of each template, and which one is active."""
    other = rows.alias("other")
    newest = select(func.max(other.c.version)).where(other.c.id == rows.c.id).scalar_subquery()
    active = select(other.c.version).where(other.c.id == rows.c.id, other.c.is_active).scalar_subquery()
    return (
        select(rows.c.id, rows.c.name, rows.c.channel, rows.c.version.label("latest"), active.label("active"))
        .where(wanted, rows.c.version == newest)
        .order_by(by_id)
    )


async def _lock(connection: Connection, template: str) -> None:
    key = func.hashtextextended(f"template:{template}", 0)
    await connection.execute(*compiled(select(func.pg_advisory_xact_lock(key))))


async def _latest(connection: Connection, template: str) -> int:
    newest = select(func.coalesce(func.max(rows.c.version), 0)).where(rows.c.id == template)
    return int(await connection.fetchval(*compiled(newest)))


async def _deactivate(connection: Connection, template: str) -> None:
    active = (rows.c.id == template, rows.c.is_active)
    await connection.execute(*compiled(update(rows).where(*active).values(is_active=False)))


def _values(template: Template) -> dict[str, Json]:
    return {
        "id": template.id,
        "version": template.version,
        "name": template.name,
        "channel": template.channel,
        "subject_template": template.subject,
        "body_template": template.body,
        "html_body_template": template.html_body,
        "parts": json_value(template.parts),
        "variables": json_value(template.variables),
    }


def _template(row: asyncpg.Record) -> Template:
    return Template(
        id=row["id"],
        version=row["version"],
        name=row["name"],
        channel=row["channel"],
        subject=row["subject_template"],
        body=row["body_template"],
        html_body=row["html_body_template"],
        parts=read_json(row["parts"]),
        variables=msgspec.convert(read_json(row["variables"]), dict[str, Variable]),
    )
