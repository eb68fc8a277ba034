"""What is kept for a time only."""

from adapters.postgres.database import Database
from adapters.postgres.retention import prune_keys


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
