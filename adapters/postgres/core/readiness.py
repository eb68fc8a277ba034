"""Whether requests can be accepted: by the connections and from the tables that accepting needs."""

from sqlalchemy import text

from adapters.postgres.core.database import Database
from domain.kernel.errors import StoreUnavailable

# Reads nothing; but whoever has locked one of them keeps this waiting, too.
_TABLES = """
SELECT FROM
    users, idempotency_keys, notifications, notification_deliveries, delivery_status_history, outbox LIMIT 0
"""
_WRITABLE = "SELECT NOT current_setting('transaction_read_only')::bool AS writable"
_CATALOG = text("SELECT FROM api_keys, notification_templates LIMIT 0")


async def can_accept(database: Database) -> None:
    """Return when a request could be authenticated, prepared and committed.

    Raises:
        StoreUnavailable, Misconfigured: it could not, and why.
    """
    async with database.begin() as connection:
        await connection.execute(_CATALOG)
    await database.fetch(_TABLES)
    [row] = await database.fetch(_WRITABLE)
    if not row["writable"]:
        raise StoreUnavailable("PostgreSQL: read-only")
