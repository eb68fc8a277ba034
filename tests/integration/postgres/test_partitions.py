"""Partitions by month, and updates that stay heap-only."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import insert

from adapters.postgres.core.database import Database
from adapters.postgres.core.partitions import FILLFACTOR, ensure_partitions, is_partition
from adapters.postgres.core.statement import compiled
from adapters.postgres.core.tables import (
    HOT,
    delivery_attempts,
    delivery_devices,
    delivery_status_history,
    notification_deliveries,
    notifications,
)
from domain.kernel.errors import Misplaced
from domain.kernel.ids import delivery_id, month_floor, uuid7

TODAY = date(2031, 11, 30)

IMMUTABLE = {
    "notifications": {"id", "mode", "type", "metadata"},
    "notification_deliveries": {"id", "notification_id", "user_id"},
    "delivery_attempts": {"delivery_id", "attempt"},
    "delivery_status_history": {"delivery_id", "n"},
    "delivery_devices": {"delivery_id", "device"},
}
"""Columns that never change after the insert: only they may stand in an index of a hot table."""

INDEXED = """
SELECT attname FROM pg_index
JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
WHERE indrelid = $1::regclass
UNION
SELECT attname FROM pg_index
JOIN pg_depend ON objid = indexrelid AND refobjid = indrelid
    AND classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
JOIN pg_attribute ON attrelid = indrelid AND attnum = refobjsubid
WHERE indrelid = $1::regclass
"""
"""In the index, its predicate or an expression."""


async def partitions_of(store: Database, table: str) -> list[str]:
    rows = await store.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1", table
    )
    return [row[0] for row in rows]


async def insert_rows(store: Database, notification: UUID) -> dict[str, UUID]:
    """One row in each hot table; their ids by table."""
    user = uuid4()
    delivery = delivery_id(notification, user, "email")
    about: dict[str, Any] = {"channel": "email", "priority": 2}
    parent = {"id": notification, "mode": "live", "type": "t", "klass": "otp", "content": b"c"}
    child = {
        "id": delivery,
        "notification_id": notification,
        "user_id": user,
        "slot": "email",
        "content_key": b"k",
    }
    attempt = {"delivery_id": delivery, "attempt": 1, "provider": "p", "worker": uuid4()}
    for query in (
        insert(notifications).values(**about, **parent),
        insert(notification_deliveries).values(**about, **child),
        insert(delivery_attempts).values(**attempt, cleared_at=datetime.now(UTC)),
        insert(delivery_status_history).values(delivery_id=delivery, n=1, status="queued"),
        insert(delivery_devices).values(
            delivery_id=delivery, device=b"d", epoch=0, attempt=1, platform="ios", provider="p", outcome="o"
        ),
    ):
        await store.fetch(*compiled(query))
    return {table.name: notification if table is notifications else delivery for table in HOT}


async def test_partitions_reach_from_last_month_until_far_enough_ahead(store: Database) -> None:
    made = await ensure_partitions(store, TODAY, months_ahead=3)

    months = ("2031_10", "2031_11", "2031_12", "2032_01", "2032_02")
    assert sorted(made) == sorted(f"{table.name}_{month}" for table in HOT for month in months)
    for table in HOT:
        assert set(await partitions_of(store, table.name)) >= {f"{table.name}_{month}" for month in months}


async def test_making_them_again_makes_nothing(store: Database) -> None:
    await ensure_partitions(store, TODAY)

    assert await ensure_partitions(store, TODAY) == []
    assert len(await ensure_partitions(store, date(2031, 12, 1))) == len(HOT)


async def test_many_processes_make_each_partition_once(store: Database) -> None:
    made = await asyncio.gather(*(ensure_partitions(store, TODAY) for _ in range(5)))

    assert sorted(map(len, made)) == [0, 0, 0, 0, 8 * len(HOT)]


async def test_a_migrated_database_takes_rows_of_now(store: Database) -> None:
    await insert_rows(store, uuid7(round(datetime.now(UTC).timestamp() * 1000), uuid4().int))


async def test_rows_at_the_border_of_a_month_land_on_their_side(store: Database) -> None:
    await ensure_partitions(store, TODAY)
    december = month_floor(2031, 12)
    last_millisecond = uuid7((december.int >> 80) - 1, 2**74 - 1)
    expected = {
        "2031_11": [last_millisecond, uuid7((december.int >> 80) - 1, 0)],
        "2031_12": [uuid7(december.int >> 80, 0), uuid7(december.int >> 80, 2**74 - 1)],
    }

    for month, ids in expected.items():
        for id_ in ids:
            for table, key in (await insert_rows(store, id_)).items():
                column = "id" if table in ("notifications", "notification_deliveries") else "delivery_id"
                (row,) = await store.fetch(
                    f"SELECT tableoid::regclass::text FROM {table} WHERE {column} = $1", key
                )
                assert row[0] == f"{table}_{month}"


async def test_without_a_partition_nothing_is_accepted(store: Database) -> None:
    with pytest.raises(Misplaced):
        await insert_rows(store, month_floor(2050, 1))


async def test_partitions_are_made_while_others_write(store: Database) -> None:
    """`CREATE TABLE … PARTITION OF` would wait for the writer, and make all others wait behind it."""
    async with store.transaction() as writer:
        await writer.execute("LOCK TABLE notifications, notification_deliveries IN ROW EXCLUSIVE MODE")
        async with asyncio.timeout(4):  # less than the lock's time-out
            assert await ensure_partitions(store, TODAY)


async def test_a_lock_that_readers_and_writers_need_would_not_be_free(store: Database) -> None:
    """The negative control of the test above."""
    async with store.transaction() as writer, store.transaction() as other:
        await writer.execute("LOCK TABLE notifications IN ROW EXCLUSIVE MODE")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await other.execute("LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE NOWAIT")


async def test_pages_have_room_for_the_next_version_of_a_row(store: Database) -> None:
    rows = await store.fetch(
        "SELECT relname, reloptions FROM pg_class WHERE relispartition AND relkind = 'r'"
    )
    assert rows
    for name, options in rows:
        assert is_partition(name)
        assert options == [f"fillfactor={FILLFACTOR.get(name[:-8], 100)}"]


@pytest.mark.parametrize("table", [table.name for table in HOT])
async def test_no_index_of_a_hot_table_holds_a_column_that_changes(store: Database, table: str) -> None:
    for relation in (table, *await partitions_of(store, table)):
        assert {row[0] for row in await store.fetch(INDEXED, relation)} <= IMMUTABLE[table]


async def test_the_guard_would_see_an_index_on_a_column_that_changes(store: Database) -> None:
    await store.fetch("CREATE INDEX ON notifications (status)")
    await store.fetch("CREATE INDEX ON notifications (id) WHERE cancelled_at IS NULL")

    await store.fetch("CREATE INDEX ON notifications (lower(reason))")

    assert {row[0] for row in await store.fetch(INDEXED, "notifications")} >= {
        "status",
        "cancelled_at",
        "reason",
    }


async def test_the_updates_of_a_deliverys_life_are_heap_only(store: Database) -> None:
    millis = round(datetime.now(UTC).timestamp() * 1000)
    parent = uuid7(millis, uuid4().int)
    await insert_rows(store, parent)
    ids = sorted(delivery_id(parent, uuid4(), "email") for _ in range(1000))
    await store.fetch(
        """
        INSERT INTO notification_deliveries
            (id, notification_id, user_id, slot, channel, priority, content_key)
        SELECT id, $2, gen_random_uuid(), 'email', 'email', 2, decode(repeat('ab', 76), 'hex')
        FROM unnest($1::uuid[]) AS id
        """,
        ids,
        parent,
    )
    life = (
        "status = 'sending', attempt = 1, lease_until = now()",
        "begun_at = now(), provider = 'smtp'",
        "status = 'sent', history_n = 3, sent_at = now(), begun_at = NULL, lease_until = NULL",
    )
    for batch in (ids[n : n + 100] for n in range(0, len(ids), 100)):
        for change in life:
            await store.fetch(
                f"UPDATE notification_deliveries SET {change} WHERE id = ANY($1::uuid[])", batch
            )
    await store.fetch(
        "UPDATE notifications SET open = 0, sent = 1, status = 'completed' WHERE id = $1", parent
    )

    counted = await updates(store)
    all_updates, heap_only = counted["notification_deliveries"]
    assert all_updates == 3 * len(ids)
    assert heap_only > 0.85 * all_updates
    assert counted["notifications"] == (1, 1)


async def updates(store: Database) -> dict[str, tuple[int, int]]:
    """All updates and the heap-only ones, by hot table."""
    async with store.transaction() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
    rows = await store.fetch(
        """
        SELECT inhparent::regclass::text, sum(n_tup_upd)::int, sum(n_tup_hot_upd)::int
        FROM pg_stat_user_tables JOIN pg_inherits ON inhrelid = relid
        GROUP BY inhparent
        """
    )
    return {name: (every, heap_only) for name, every, heap_only in rows}
