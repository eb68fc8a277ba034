"""`PeopleContract` over both adapters."""

import pytest

from adapters.memory.people import MemoryPeople
from adapters.memory.rows import MemoryRows
from adapters.postgres.database import Database
from adapters.postgres.people import PostgresPeople
from tests.contract.people import PeopleContract


class TestMemoryPeople(PeopleContract):
    @pytest.fixture
    def people(self, rows: MemoryRows) -> MemoryPeople:
        return MemoryPeople(rows=rows)


class TestPostgresPeople(PeopleContract):
    @pytest.fixture
    def people(self, store: Database) -> PostgresPeople:
        return PostgresPeople(database=store)
