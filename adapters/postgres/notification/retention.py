"""Old idempotency keys are deleted, in chunks, so that no lock is held for long."""

from datetime import timedelta

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection

KEYS_KEPT = timedelta(days=90)
"""How long an idempotency key absorbs repetitions; the API's documentation says so too."""

LOCK = 0x706F_7374_0004
"""Advisory: one process at a time prunes."""

_PRUNE_KEYS = """
DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < now() - $1::interval ORDER BY created_at LIMIT $2
))
"""


async def prune_keys(database: Database, *, chunk: int = 5_000) -> int:
    """Delete idempotency keys that are older than `KEYS_KEPT`; return how many.

    Returns 0 when another process is deleting them.
    """

    async def work(connection: Connection) -> int:
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
            return 0
        done = await connection.execute(_PRUNE_KEYS, KEYS_KEPT, chunk)
        return int(done.rpartition(" ")[2])

    pruned = 0
    while True:
        gone = await database.run(work)
        pruned += gone
        if gone < chunk:
            return pruned
