"""`PeopleContract` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.user.people import PostgresPeople
from tests.contract.people import PeopleContract
from tests.support.memory.people import MemoryPeople
from tests.support.memory.rows import MemoryRows


class TestMemoryPeople(PeopleContract):
    @pytest.fixture
    def people(self, rows: MemoryRows) -> MemoryPeople:
        return MemoryPeople(rows=rows)


class TestPostgresPeople(PeopleContract):
    @pytest.fixture
    def people(self, store: Database) -> PostgresPeople:
        return PostgresPeople(database=store)
