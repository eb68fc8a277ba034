"""What is kept for a time only, and what is counted again and again: neither reads what it does not need."""

import asyncio
import re
from datetime import UTC, datetime

from adapters.postgres.attempt import unknown_attempts
from adapters.postgres.core.database import Database
from adapters.postgres.notification import retention
from adapters.postgres.notification.retention import KEYS_KEPT, LOCK, prune_keys

_FILL = """
INSERT INTO idempotency_keys (key, fingerprint, notification_id, created_at)
SELECT gen_random_uuid(), 'f', gen_random_uuid(), now() - (n % $1::int + $2::int) * interval '1 day'
FROM generate_series(1, 5000) AS n
"""


async def visited(store: Database, statement: str, *arguments: object) -> int:
    """Rows and index entries that a statement of the pool looks at."""
    async with store.transaction() as connection:
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", *arguments)
    plan = "\n".join(row[0] for row in rows)
    counted = re.findall(r"(?:Scan|Delete) .*actual rows=(\d+)", plan)
    lost = re.findall(r"Rows Removed by (?:Filter|Index Recheck): (\d+)", plan)
    assert counted, plan
    return sum(map(int, [*counted, *lost]))


async def test_old_idempotency_keys_go_and_young_ones_stay(store: Database) -> None:
    await store.fetch(
        """
        INSERT INTO idempotency_keys (key, fingerprint, notification_id, created_at)
        SELECT gen_random_uuid(), 'f', gen_random_uuid(), now() - n * interval '1 day'
        FROM generate_series(1, 120) AS n
        """
    )
    assert await prune_keys(store, chunk=7) == 31
    left = await store.fetch(
        "SELECT count(*), max(now() - created_at) < interval '90 days' FROM idempotency_keys"
    )
    assert tuple(left[0]) == (89, True)


async def test_looking_for_old_keys_in_vain_reads_nothing(store: Database) -> None:
    """From the second generation on, old and young lie side by side: space is used again."""
    await store.fetch(_FILL, 180, 1)
    await prune_keys(store)
    await store.fetch("VACUUM ANALYZE idempotency_keys")
    await store.fetch(_FILL, 80, 1)
    await store.fetch("VACUUM ANALYZE idempotency_keys")

    assert await visited(store, retention._PRUNE_KEYS, KEYS_KEPT, 5_000) < 10


async def test_one_process_at_a_time_prunes(store: Database, database: str) -> None:
    await store.fetch(_FILL, 10, 100)
    async with Database(database) as other, other.transaction() as busy:
        await busy.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        async with asyncio.timeout(5):
            assert await prune_keys(store) == 0
    assert await prune_keys(store) == 5_000


async def test_what_is_resolved_is_not_read_to_count_what_rests(store: Database) -> None:
    await store.fetch(
        """
        WITH ids AS (
            SELECT n, (lpad(to_hex($1::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
                || '8' || substr(md5('x' || n), 1, 15))::uuid AS id
            FROM generate_series(1, 5000) AS n
        ), deliveries AS (
            INSERT INTO notification_deliveries (
                id, notification_id, user_id, slot, channel, priority, content_key, status
            )
            SELECT id, id, id, 's', 'email', 2, '', 'unknown' FROM ids
        )
        INSERT INTO unknown_attempts (delivery_id, attempt, notification_id, channel, reason, resolved_at)
        SELECT id, 1, id, 'email', 'r', CASE WHEN n > 5 THEN now() END FROM ids
        """,
        round(datetime.now(UTC).timestamp() * 1000),
    )
    await store.fetch("VACUUM ANALYZE")

    assert await visited(store, unknown_attempts._COUNT) < 30
