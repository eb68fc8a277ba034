"""`ReaderContract` over both adapters."""

from dataclasses import asdict
from typing import Any

import msgspec
import pytest
from sqlalchemy import Table, insert

from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import compiled, json_value
from adapters.postgres.core.tables import (
    delivery_attempts,
    delivery_status_history,
    notification_deliveries,
    notifications,
    users,
)
from adapters.postgres.notification.reader import PostgresReader
from tests.contract.reader import ReaderContract, Rows, Seed
from tests.support.memory.reader import MemoryReader
from tests.support.memory.rows import MemoryRows, NotificationRow


class TestMemoryReader(ReaderContract):
    @pytest.fixture
    def reader(self, rows: MemoryRows) -> MemoryReader:
        return MemoryReader(rows=rows)

    @pytest.fixture
    def seed(self, rows: MemoryRows) -> Seed:
        async def seed(given: Rows) -> None:
            rows.users |= {user.id: user for user in given.users}
            rows.notifications |= {row.id: row for row in given.notifications}
            rows.deliveries |= {row.id: row for row in given.deliveries}
            rows.history |= given.history
            for attempt in given.attempts:
                rows.attempts.setdefault(attempt.delivery_id, {})[attempt.attempt] = attempt

        return seed


class TestPostgresReader(ReaderContract):
    @pytest.fixture
    def reader(self, store: Database) -> PostgresReader:
        return PostgresReader(database=store)

    @pytest.fixture
    def seed(self, store: Database) -> Seed:
        async def seed(given: Rows) -> None:
            moves = [
                {"delivery_id": delivery, "n": n, **asdict(move)}
                for delivery, history in given.history.items()
                for n, move in enumerate(history, start=1)
            ]
            rows: dict[Table, list[dict[str, Any]]] = {
                users: [_given(msgspec.structs.asdict(user)) for user in given.users],
                notifications: [_notification(row) for row in given.notifications],
                notification_deliveries: [asdict(row) for row in given.deliveries],
                delivery_attempts: [asdict(row) for row in given.attempts],
                delivery_status_history: moves,
            }
            for table, values in rows.items():
                for value in values:
                    await store.fetch(*compiled(insert(table).values(**value)))

        return seed


def _notification(row: NotificationRow) -> dict[str, Any]:
    fields = asdict(row)
    counts = fields.pop("counts")
    fields["routes"] = json_value(row.routes) if row.routes else None
    return _given(fields | {"metadata": json_value(row.metadata) if row.metadata else None}) | counts


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what is None: the column's own default stands, and JSON's null is not SQL's."""
    return {name: value for name, value in fields.items() if value is not None}
