"""Monthly partitions of the hot tables, made ahead of time."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.tables import HOT
from domain.kernel.ids import month_floor

FILLFACTOR = {"notifications": 50, "notification_deliveries": 45, "delivery_attempts": 40}
"""Room for the next version of *every* row of a page: a batch moves rows that were inserted side by side, all
of them before any old version may go.  Measured: 92 % to 100 % of such updates are heap-only; with 70 it was
36 % to 60 %, which made them up to twice as slow and the tables no smaller."""

MONTHS_AHEAD = 6
LOCK = 0x706F_7374_0001
"""Advisory: one process at a time makes partitions."""

_NAME = re.compile(r".+_\d{4}_\d{2}")


def is_partition(table: str) -> bool:
    """Whether a table's name is one that `ensure_partitions` gives."""
    return _NAME.fullmatch(table) is not None


# To attach a partition one must own its parent.
_MAY = """
SELECT bool_and(pg_has_role(c.relowner, 'USAGE')) AND has_schema_privilege(current_schema(), 'CREATE') AS may
FROM pg_class AS c WHERE c.oid = ANY($1::text[]::regclass[])
"""

_ATTACHED = """
SELECT c.relname AS name, now() AS now
FROM unnest($1::text[]::regclass[]) AS parent
LEFT JOIN pg_inherits AS i ON i.inhparent = parent
LEFT JOIN pg_class AS c ON c.oid = i.inhrelid
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far ahead all hot tables have partitions."""

    ahead: int
    """Whole months after the present one, without a gap; -1: even this one is missing."""
    until: datetime
    """Ids of this time on have no place."""
    now: datetime
    """The database's clock."""


async def reach(database: Database) -> Reach:
    """Return how far the partitions of all hot tables reach.

    Raises:
        StoreUnavailable.
    """
    rows = await database.fetch(_ATTACHED, [table.name for table in HOT])
    there, today = {row["name"] for row in rows}, rows[0]["now"].astimezone(UTC)
    ahead = -1
    while all(_named(table.name, *_month(today, ahead + 1)) in there for table in HOT):
        ahead += 1
    year, month = _month(today, ahead + 1)
    return Reach(ahead, datetime(year, month, 1, tzinfo=UTC), today)


async def may_make(database: Database) -> bool:
    """Whether this role has the right to make partitions.

    Raises:
        StoreUnavailable, Misconfigured.
    """
    return bool((await database.fetch(_MAY, [table.name for table in HOT]))[0]["may"])


async def ensure_partitions(database: Database, today: date, months_ahead: int = MONTHS_AHEAD) -> list[str]:
    """Make what is missing from last month until `months_ahead` months from now; return their names.

    Any number of processes may do this at any time.  Readers and writers go on: a partition is made on its
    own and then attached, for which the parent needs no exclusive lock.

    Raises:
        StoreUnavailable.
        Misconfigured: it may not.
    """
    wanted = {
        _named(table.name, year, month): (table.name, year, month)
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


def _named(parent: str, year: int, month: int) -> str:
    return f"{parent}_{year:04}_{month:02}"


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
