"""A connected database, migrated or empty."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres.core.database import Database
from tests.support.postgres import PostgresServer


@pytest.fixture
async def store(database: str) -> AsyncIterator[Database]:
    async with Database(database) as store:
        yield store


@pytest.fixture
async def empty(postgres_server: PostgresServer) -> AsyncIterator[str]:
    name = await postgres_server.create_database()
    yield postgres_server.dsn(name)
    await postgres_server.drop_database(name)
