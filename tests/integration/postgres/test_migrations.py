"""The revisions: up, down, up again, and exactly what `tables` says."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Index, MetaData, Table, Text

from adapters.postgres.core import catalog_tables, device_tables, operation_tables  # noqa: F401  they fill the metadata
from adapters.postgres.core.database import Database
from adapters.postgres.core.metadata import metadata
from adapters.postgres.core.migrate import alembic_engine, downgrade, migrate
from adapters.postgres.core.partitions import is_partition
from adapters.postgres.core.tables import HOT
from domain.kernel.errors import Misconfigured

UNIT = Path(__file__).parents[2] / "unit"
GOLDEN = json.loads((UNIT / "delivery" / "golden_ids.json").read_text(encoding="utf-8"))

# What Alembic does not compare (predicates, methods, partitioning) PostgreSQL can spell out itself.
CATALOGUE = """
SELECT relname, 'column', attname, concat_ws(
    ' ', format_type(atttypid, atttypmod), attnotnull, attidentity, pg_get_expr(adbin, adrelid)
)
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped AND relnamespace = 'public'::regnamespace
UNION ALL
SELECT tablename, 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT relname, 'constraint', conname, pg_get_constraintdef(pg_constraint.oid)
FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT relname, 'partitioned', relname, pg_get_partkeydef(pg_class.oid)
FROM pg_class WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace
"""


def differences(connection: Connection, wanted: MetaData = metadata) -> list[Any]:
    def ours(_object: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
        return not (reflected and kind == "table" and name is not None and is_partition(name))

    options = {"include_object": ours, "compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), wanted)


async def catalogue(dsn: str) -> set[tuple[str, ...]]:
    async with Database(dsn) as database:
        rows = await database.fetch(CATALOGUE)
        return {tuple(row) for row in rows if not is_partition(row[0]) and row[0] != "alembic_version"}


async def test_the_models_are_what_the_revisions_make(database: str, empty: str) -> None:
    async with Database(empty) as models, alembic_engine(models).begin() as connection:
        await connection.run_sync(metadata.create_all)

    assert await catalogue(database) == await catalogue(empty)


async def test_alembic_sees_no_difference_either(store: Database) -> None:
    async with alembic_engine(store).connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_alembic_would_see_a_column_or_an_index_too_many(store: Database) -> None:
    changed = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.tables.values():
        table.to_metadata(changed)
    changed.tables["users"].append_column(Column("shoe_size", Text))
    Index("ix_users_locale", changed.tables["users"].c.locale)
    Table("shops", changed, Column("id", Text, primary_key=True))

    async with alembic_engine(store).connect() as connection:
        found = await connection.run_sync(differences, changed)
    assert sorted(change[0] for change in found) == ["add_column", "add_index", "add_table"]


async def test_the_hot_tables_are_partitioned_on_their_ids(store: Database) -> None:
    rows = await store.fetch(
        "SELECT partrelid::regclass::text, pg_get_partkeydef(partrelid) FROM pg_partitioned_table"
    )
    assert dict(rows) == {table.name: f"RANGE ({column})" for table, column in HOT.items()}


async def test_down_to_nothing_and_up_again(empty: str) -> None:
    await migrate(empty)
    before = await catalogue(empty)
    await downgrade(empty, "base")

    assert await catalogue(empty) == set()
    async with Database(empty) as database:
        left = await database.fetch("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        assert left == []

    await migrate(empty)
    assert await catalogue(empty) == before


async def test_many_migrators_at_once_and_again(empty: str) -> None:
    await asyncio.gather(*(migrate(empty) for _ in range(4)))
    before = await catalogue(empty)
    await migrate(empty)

    assert await catalogue(empty) == before


async def test_migrating_again_leaves_what_an_operator_changed(database: str, store: Database) -> None:
    await store.fetch("UPDATE channel_configurations SET providers = '{smtp}' WHERE channel = 'email'")
    await store.fetch("DELETE FROM channel_configurations WHERE channel = 'push'")
    await migrate(database)

    rows = await store.fetch("SELECT channel, providers FROM channel_configurations")
    sandbox = ["sandbox"]
    assert dict(rows) == {"email": ["smtp"], "sms": sandbox, "in_app": ["in_app"], "webhook": sandbox}


async def test_a_database_of_a_newer_release_is_left_alone(database: str, store: Database) -> None:
    await store.fetch("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Misconfigured, match="9999"):
        await migrate(database)


async def test_sql_derives_the_golden_ids(store: Database) -> None:
    made = await store.fetch(
        """
        SELECT posthorn_delivery_id(notification, person, slot)::text
        FROM jsonb_to_recordset($1::jsonb) AS golden (notification uuid, person uuid, slot text)
        """,
        json.dumps(GOLDEN),
    )
    assert [row[0] for row in made] == [vector["delivery"] for vector in GOLDEN]
