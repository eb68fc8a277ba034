"""The mirror's behaviour, all of it, over PostgreSQL: its fences are the database's."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.user.users import PostgresUsers
from tests.unit.user import test_update
from tests.unit.user.test_update import *  # noqa: F403  the tests themselves
from tests.unit.user.test_update import House


@pytest.fixture
async def house(database: str) -> AsyncIterator[House]:
    async with Database(database) as store:
        yield House(PostgresUsers(database=store))


def test_every_test_of_the_mirror_runs_here() -> None:
    names = {name for name in vars(test_update) if name.startswith("test_")}
    assert len(names) > 10
    assert names <= globals().keys()
