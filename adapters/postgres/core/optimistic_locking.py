"""Optimistic locking: a row with a version is written if the version is the one the caller has seen.

Each write is one statement, so that no other write comes between the comparison and the change.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Insert, Table, Update, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import compiled
from domain.kernel.errors import Conflict


async def put(
    database: Database, table: Table, values: Mapping[str, object], *, expected: int | None
) -> tuple[int, datetime]:
    """Write a row of `table`, whose key is among `values`; return its new version and when it was written.

    Args:
        expected: 0: it must not exist; n: it must be at that version; None: either way.

    Raises:
        Conflict: the row does not stand as `expected` says.
    """
    key = _key(table)
    changes = {
        **{name: value for name, value in values.items() if name != key.name},
        "version": table.c.version + 1,
        "updated_at": func.now(),
    }
    creation = insert(table).values(**values)
    statement: Insert | Update
    if expected is None:
        statement = creation.on_conflict_do_update(index_elements=[key], set_=changes)
    elif expected == 0:
        statement = creation.on_conflict_do_nothing()
    else:
        at_version = (key == values[key.name], table.c.version == expected)
        statement = update(table).values(**changes).where(*at_version)
    rows = await database.fetch(*compiled(statement.returning(table.c.version, table.c.updated_at)))
    if not rows:
        raise Conflict(f"{values[key.name]} is not at version {expected}")
    return rows[0]["version"], rows[0]["updated_at"]


async def remove(database: Database, table: Table, name: str, *, expected: int | None) -> bool:
    """Delete a row; return False when it is not there.

    Raises:
        Conflict: it is at another version than `expected`.
    """
    key = _key(table)
    wanted = [key == name] if expected is None else [key == name, table.c.version == expected]
    gone = delete(table).where(*wanted).returning(literal(1)).cte("gone")
    # Both parts see the table as it was before the deletion.
    query = select(
        exists(select(gone)).label("removed"), exists(select(table).where(key == name)).label("there")
    )
    [row] = await database.fetch(*compiled(query))
    if row["there"] and not row["removed"]:
        raise Conflict(f"{name} is not at version {expected}")
    return bool(row["removed"])


def _key(table: Table) -> Column[Any]:  # text or UUID
    (key,) = table.primary_key.columns
    return key
