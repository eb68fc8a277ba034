"""The contract of `NotificationTypes` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.notification_type.notification_types import PostgresNotificationTypes
from tests.contract.notification_types import NotificationTypesContract
from tests.support.memory.catalog import MemoryNotificationTypes
from tests.support.memory.rows import MemoryRows


class TestMemoryNotificationTypes(NotificationTypesContract):
    @pytest.fixture
    def types(self, rows: MemoryRows) -> MemoryNotificationTypes:
        return MemoryNotificationTypes(rows=rows)


class TestPostgresNotificationTypes(NotificationTypesContract):
    @pytest.fixture
    def types(self, store: Database) -> PostgresNotificationTypes:
        return PostgresNotificationTypes(database=store)
