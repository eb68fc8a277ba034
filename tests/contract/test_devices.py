"""`DevicesContract` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.device.devices import PostgresDevices
from adapters.postgres.user.users import PostgresUsers
from tests.contract.devices import DevicesContract
from tests.support.memory.devices import MemoryDevices
from tests.support.memory.rows import MemoryRows
from tests.support.memory.users import MemoryUsers


class TestMemoryDevices(DevicesContract):
    @pytest.fixture
    def devices(self, rows: MemoryRows) -> MemoryDevices:
        return MemoryDevices(rows=rows)

    @pytest.fixture
    def users(self, rows: MemoryRows) -> MemoryUsers:
        return MemoryUsers(rows=rows)


class TestPostgresDevices(DevicesContract):
    @pytest.fixture
    def devices(self, store: Database) -> PostgresDevices:
        return PostgresDevices(database=store)

    @pytest.fixture
    def users(self, store: Database) -> PostgresUsers:
        return PostgresUsers(database=store)
