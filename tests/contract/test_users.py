"""`UsersContract` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.user.users import PostgresUsers
from tests.contract.users import UsersContract
from tests.support.memory.rows import MemoryRows
from tests.support.memory.users import MemoryUsers


class TestMemoryUsers(UsersContract):
    @pytest.fixture
    def users(self, rows: MemoryRows) -> MemoryUsers:
        return MemoryUsers(rows=rows)


class TestPostgresUsers(UsersContract):
    @pytest.fixture
    def users(self, store: Database) -> PostgresUsers:
        return PostgresUsers(database=store)
