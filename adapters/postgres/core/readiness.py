"""Whether requests can be accepted: over the connections and with the tables that accepting needs."""

from adapters.postgres.core.database import Database
from domain.kernel.errors import StoreUnavailable

# Reads no row, but waits as accepting would when another session has locked one of the tables.
_TABLES = """
SELECT FROM
    api_keys, notification_templates, users, idempotency_keys, notifications, notification_deliveries,
    delivery_status_history, outbox
LIMIT 0
"""
_WRITABLE = "SELECT NOT current_setting('transaction_read_only')::bool AS writable"


async def can_accept(database: Database) -> None:
    """Return when a request could be authenticated, prepared and committed.

    Raises:
        StoreUnavailable, Misconfigured: it could not, and why.
    """
    await database.fetch(_TABLES)
    [row] = await database.fetch(_WRITABLE)
    if not row["writable"]:
        raise StoreUnavailable("PostgreSQL: read-only")
