"""Writing rows that carry a version: in one statement, so that nobody comes between looking and writing."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Row, Table, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.core.database import Database
from domain.kernel.errors import Conflict


async def put(
    database: Database, table: Table, values: Mapping[str, Any], *, expected: int | None
) -> Row[tuple[Any, ...]]:
    """Write a row of `table` (its key is among `values`); return its version and time.

    Args:
        expected: 0: it must not exist; n: it must be at that version; None: either way.

    Raises:
        Conflict: it is not so.
    """
    key = _key(table)
    changes = {
        **{name: value for name, value in values.items() if name != key.name},
        "version": table.c.version + 1,
        "updated_at": func.now(),
    }
    creation = insert(table).values(**values)
    if expected is None:
        statement = creation.on_conflict_do_update(index_elements=[key], set_=changes)
    elif expected == 0:
        statement = creation.on_conflict_do_nothing()
    else:
        statement = update(table).values(**changes)
        statement = statement.where(key == values[key.name], table.c.version == expected)
    async with database.begin() as connection:
        row = (await connection.execute(statement.returning(table.c.version, table.c.updated_at))).first()
    if row is None:
        raise Conflict(f"{values[key.name]} is not at version {expected}")
    return row


async def remove(database: Database, table: Table, name: str, *, expected: int | None) -> bool:
    """Delete a row; False when it is not there.

    Raises:
        Conflict: it is at another version than `expected`.
    """
    key = _key(table)
    wanted = [key == name] if expected is None else [key == name, table.c.version == expected]
    gone = delete(table).where(*wanted).returning(literal(1)).cte("gone")
    # Both look at the moment before the deletion.
    query = select(exists(select(gone)), exists(select(table).where(key == name)))
    async with database.begin() as connection:
        removed, there = (await connection.execute(query)).one()
    if there and not removed:
        raise Conflict(f"{name} is not at version {expected}")
    return removed


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key
