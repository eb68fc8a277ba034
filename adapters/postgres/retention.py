"""What is kept for a time only: deleted in chunks, so that nobody waits for it."""

from datetime import timedelta

from adapters.postgres.database import Database

KEYS_KEPT = timedelta(days=90)
"""How long an idempotency key absorbs repetitions; the API's documentation says so too."""

# The oldest lie together: the BRIN index on the time finds their blocks.
_PRUNE_KEYS = """
DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < now() - $1::interval LIMIT $2
))
RETURNING key
"""


async def prune_keys(database: Database, *, chunk: int = 5_000) -> int:
    """Delete idempotency keys that are older than `KEYS_KEPT`; return how many."""
    pruned = 0
    while True:
        gone = len(await database.fetch(_PRUNE_KEYS, KEYS_KEPT, chunk))
        pruned += gone
        if gone < chunk:
            return pruned
