"""SQL whose values and rows are bound by name, as text and arguments for asyncpg.

    _BEGIN = RowsStatement("UPDATE … SET provider = given.provider FROM :rows AS given … :cleared_at", Begin)
    rows = await connection.fetch(*_BEGIN(attempts, cleared_at=cleared_at))

Rows travel as one array for each field of their struct, so that one statement takes any number of them.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args
from uuid import UUID

import msgspec
from msgspec.structs import astuple
from sqlalchemy import ClauseElement, ColumnElement, Text, cast, literal
from sqlalchemy.dialects.postgresql import JSONB, asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

from domain.kernel.number import json_text

Row = TypeVar("Row", bound=msgspec.Struct)

_NAME = re.compile(r"(?<![:\w]):([a-z]\w*)")
"""`:name`, but not the cast `::name`."""

_TYPES = {
    UUID: "uuid",
    bool: "bool",  # before int, which it is, too
    int: "int",
    str: "text",
    bytes: "bytea",
    float: "float8",
    datetime: "timestamptz",
}

_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]


class RowsStatement(Generic[Row]):
    """One statement over rows.  `:rows` in its text is a table with a column for each field of the struct.

    Every other `:name` is a single value.
    """

    def __init__(self, sql: str, row: type[Row]) -> None:
        """Write the statement for PostgreSQL, with numbers in place of names.

        Args:
            row: a field's name is its column's, and its type one of UUID, bool, int, str, bytes, float and
                datetime, or None besides.

        Raises:
            TypeError: a field has another type.
        """
        fields = msgspec.structs.fields(row)
        arrays = ", ".join(f"${n}::{_sql_type(field.type)}[]" for n, field in enumerate(fields, 1))
        columns = ", ".join(field.name for field in fields)
        table = f"(SELECT * FROM unnest({arrays}) AS r ({columns}))"  # noqa: S608  composed of fields
        self._nothing: list[Any] = [()] * len(fields)  # as zip gives
        self.text, self._names = _numbered(sql, {"rows": table}, len(fields))

    def __call__(
        self, rows: Sequence[Row], /, **values: object
    ) -> list[Any]:  # the text, then values of any type
        """Return the text and the arguments, in the order in which asyncpg takes them.

        Raises:
            TypeError: a value is missing, or there is one too many.
        """
        arrays = zip(*map(astuple, rows), strict=True) if rows else self._nothing
        return [self.text, *arrays, *_in_order(self._names, values)]


def compiled(query: ClauseElement) -> list[Any]:  # the text, then values of any type
    """Return the text and the arguments of a query of SQLAlchemy Core."""
    made = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    names = made.positiontup or () if isinstance(made, SQLCompiler) else ()
    return [str(made), *(made.params[name] for name in names)]


def json_value(value: object) -> ColumnElement[Any]:  # JSONB's own type
    """A value for a column of type `jsonb`, or to compare one with, in a query of SQLAlchemy Core."""
    return cast(literal(json_text(value), Text), JSONB)


def _numbered(sql: str, tables: dict[str, str], taken: int) -> tuple[str, tuple[str, ...]]:
    """Return the text with `$n` for each name, and the names in order; `taken` numbers are in use already."""
    numbers: dict[str, int] = {}

    def written(found: re.Match[str]) -> str:
        name = found[1]
        return tables.get(name) or f"${numbers.setdefault(name, taken + 1 + len(numbers))}"

    text = _NAME.sub(written, sql)
    return text, tuple(numbers)


def _in_order(names: tuple[str, ...], values: dict[str, object]) -> list[object]:
    if values.keys() != set(names):
        raise TypeError(f"the statement takes {sorted(names)}, not {sorted(values)}")
    return [values[name] for name in names]


def _sql_type(annotation: object) -> str:
    """The PostgreSQL type of one field."""
    kinds = set(get_args(annotation)) - {NoneType} if isinstance(annotation, UnionType) else {annotation}
    for known, name in _TYPES.items():
        if all(isinstance(kind, type) and issubclass(kind, known) for kind in kinds):
            return name
    raise TypeError(f"a row cannot have a field of {annotation}")
