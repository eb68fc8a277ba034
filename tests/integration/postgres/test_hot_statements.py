"""The statements of the hot path, as the server plans and counts them."""

import re
from itertools import product

import pytest

from adapters.postgres.attempt import unanswered
from adapters.postgres.core import processes
from adapters.postgres.core.database import Database
from adapters.postgres.dead_letter import insert
from adapters.postgres.delivery import deliveries, lease, settle
from adapters.postgres.delivery.counters import BUCKETS, ROLLUP
from adapters.postgres.notification import acceptance, cancelling
from adapters.postgres.outbox import rows as outbox
from adapters.postgres.recovery import reissue as recovery
from adapters.postgres.user import recipients
from domain.notification.rollup import Counts, rollup

STATEMENTS = {
    "users": acceptance._KEYS,
    "profiles": recipients._PROFILES.text,
    "notifications": acceptance._NOTIFICATIONS.text,
    "holders": acceptance._HOLDERS,
    "lease": lease._LEASE.text,
    "missed": lease._MISSED.text,
    "begin": deliveries._BEGIN.text,
    "facts": settle._FACTS,
    "settle": settle._SETTLE.text,
    "dead": insert._WRITE.text,
    "unanswered": unanswered._NOTE.text,
    "decided": unanswered._DECIDE.text,
    "sweep": cancelling._SWEEP,
    "page": recovery._PAGE,
    "reissue": recovery._REISSUE,
    "delete": outbox._DELETE,
    "owned": outbox._OWNED,
    "adopt": outbox._ADOPT,
    "forget": processes._FORGET,
}
WHOLE_TABLE = re.compile(r"Seq Scan on (?!processes)\w+|Hash Join|Hash (?:Left|Right) Join|Merge Join")


async def plan(database: Database, statement: str, *, settings: str = "") -> str:
    """As the server plans it for any arguments, on tables that are still empty."""
    arguments = len(set(re.findall(r"\$(\d+)", statement)))
    nulls = ", ".join(["NULL"] * arguments)
    async with database.transaction() as connection:
        await connection.execute(f"{settings} PREPARE hot AS {statement}")
        rows = await connection.fetch(f"EXPLAIN EXECUTE hot{f'({nulls})' if arguments else ''}")
        await connection.execute("DEALLOCATE hot")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_plan_made_on_empty_tables_suits_full_ones(store: Database, name: str) -> None:
    found = await plan(store, STATEMENTS[name])

    assert not WHOLE_TABLE.search(found), found


async def test_without_the_pools_settings_it_does_not(store: Database) -> None:
    """The control: the settings are what does it."""
    usual = "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on;"

    bad = [
        name
        for name, text in STATEMENTS.items()
        if WHOLE_TABLE.search(await plan(store, text, settings=usual))
    ]

    assert bad


async def test_the_status_follows_from_the_counters_as_the_domain_says(store: Database) -> None:
    cases = list(product((0, 1, 2), repeat=len(BUCKETS)))
    columns = ", ".join(f"${n}::int[]" for n in range(1, len(BUCKETS) + 1))
    for expanded, cancelled in product((True, False), repeat=2):
        rows = await store.fetch(
            f"SELECT {ROLLUP} AS status FROM (SELECT *, {expanded} AS expanded, "
            f"CASE WHEN {cancelled} THEN now() END AS cancelled_at "
            f"FROM unnest({columns}) AS c ({', '.join(BUCKETS)})) AS counts",
            *([case[n] for case in cases] for n in range(len(BUCKETS))),
        )
        for case, row in zip(cases, rows, strict=True):
            counts = Counts(**dict(zip(BUCKETS, case, strict=True)))
            assert row["status"] == rollup(counts, expanded=expanded, cancelled=cancelled), counts
