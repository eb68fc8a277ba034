"""Statements bind their values and rows by name."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from adapters.postgres.core.statement import RowsStatement, compiled
from domain.kernel.channel import Mode, Priority


class Row(msgspec.Struct, kw_only=True):
    id: UUID
    mode: Mode
    priority: Priority
    note: str | None
    proof: bytes | None
    guest: bool
    latency: float | None
    at: datetime | None


class Pair(msgspec.Struct, kw_only=True):
    first: str
    second: str


def test_each_field_is_a_named_array_of_its_type() -> None:
    statement = RowsStatement("SELECT * FROM :rows AS r", Row)

    assert statement.text == (
        "SELECT * FROM (SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::bytea[], "
        "$6::bool[], $7::float8[], $8::timestamptz[]) AS r "
        "(id, mode, priority, note, proof, guest, latency, at)) AS r"
    )


def test_rows_are_handed_over_field_by_field_however_they_were_made() -> None:
    statement = RowsStatement("SELECT * FROM :rows AS r", Pair)

    text, *arguments = statement([Pair(first="a", second="b"), Pair(second="d", first="c")])

    assert text == statement.text
    assert arguments == [("a", "c"), ("b", "d")]


def test_values_are_bound_by_name_and_may_stand_twice() -> None:
    statement = RowsStatement("SELECT :b::text, :a, :b FROM :rows AS r WHERE x::int = :a", Pair)

    assert statement.text.endswith("WHERE x::int = $4")
    assert statement.text.startswith("SELECT $3::text, $4, $3 FROM")
    assert statement([], a=1, b=2) == [statement.text, (), (), 2, 1]


@pytest.mark.parametrize("values", [{}, {"a": 1, "b": 2}, {"b": 1}])
def test_a_value_too_many_or_too_few_is_refused(values: dict[str, Any]) -> None:
    statement = RowsStatement("SELECT :a FROM :rows AS r", Pair)

    with pytest.raises(TypeError, match="takes"):
        statement([], **values)


def test_a_field_that_no_array_holds_is_refused() -> None:
    class Nested(msgspec.Struct):
        parts: dict[str, str]

    with pytest.raises(TypeError, match="dict"):
        RowsStatement("SELECT 1 FROM :rows AS r", Nested)


def test_a_query_of_sqlalchemy_is_text_and_arguments_in_order() -> None:
    table = Table("things", MetaData(), Column("id", Integer), Column("name", Text))

    text, *arguments = compiled(select(table.c.id).where(table.c.name == "x", table.c.id > 7).limit(3))

    assert "$1" in text
    assert "$3" in text
    assert arguments == ["x", 7, 3]


def test_a_list_of_values_is_an_argument_each() -> None:
    table = Table("things", MetaData(), Column("id", Integer), Column("name", Text))

    text, *arguments = compiled(select(table.c.id).where(table.c.name.in_(["x", "y"]), table.c.id > 7))

    assert sorted(map(str, arguments)) == ["7", "x", "y"]
    assert f"id > ${arguments.index(7) + 1}::" in text
    assert f"IN (${arguments.index('x') + 1}::VARCHAR, ${arguments.index('y') + 1}::VARCHAR)" in text
