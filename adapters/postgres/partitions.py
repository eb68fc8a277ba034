"""Monthly partitions of the hot tables, made ahead of time."""

import re
from datetime import date

from adapters.postgres.database import Connection, Database
from adapters.postgres.tables import HOT
from domain.kernel.ids import month_floor

FILLFACTOR = {"notifications": 50, "notification_deliveries": 45, "delivery_attempts": 40}
"""Room for the next version of *every* row of a page: a batch moves rows that were inserted side by side, all
of them before any old version may go.  Measured: 92 % to 100 % of such updates are heap-only; with 70 it was
36 % to 60 %, which made them up to twice as slow and the tables no smaller."""

LOCK = 0x706F_7374_0001
"""Advisory: one process at a time makes partitions."""

_NAME = re.compile(r".+_\d{4}_\d{2}")


def is_partition(table: str) -> bool:
    """Whether a table's name is one that `ensure_partitions` gives."""
    return _NAME.fullmatch(table) is not None


async def ensure_partitions(database: Database, today: date, months_ahead: int = 6) -> list[str]:
    """Make what is missing from last month until `months_ahead` months from now; return their names.

    Any number of processes may do this at any time.  Readers and writers go on: a partition is made on its
    own and then attached, for which the parent needs no exclusive lock.

    Raises:
        StoreUnavailable.
    """
    wanted = {
        f"{table.name}_{year:04}_{month:02}": (table.name, year, month)
        for table in HOT
        for year, month in (_month(today, step) for step in range(-1, months_ahead + 1))
    }

    async def make(connection: Connection) -> list[str]:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        missing = await connection.fetch(
            "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL ORDER BY name",
            list(wanted),
        )
        for row in missing:
            await connection.execute(_ddl(row["name"], *wanted[row["name"]]))
        return [row["name"] for row in missing]

    return await database.run(make)


def _month(today: date, step: int) -> tuple[int, int]:
    years, month = divmod(today.month - 1 + step, 12)
    return today.year + years, month + 1


def _ddl(name: str, parent: str, year: int, month: int) -> str:
    floor = month_floor(year, month)
    ceiling = month_floor(*_month(date(year, month, 1), 1))
    fill = FILLFACTOR.get(parent, 100)
    return (
        f"CREATE TABLE {name} (LIKE {parent} INCLUDING ALL) WITH (fillfactor = {fill});"
        f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ('{floor}') TO ('{ceiling}')"
    )
