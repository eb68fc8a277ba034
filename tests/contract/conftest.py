"""What the adapters under contract stand on: fresh rows in memory, or a fresh database."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres.core.database import Database
from adapters.system import SystemClock
from tests.support.memory.rows import MemoryRows


@pytest.fixture
def rows() -> MemoryRows:
    return MemoryRows(SystemClock())


@pytest.fixture
async def store(database: str) -> AsyncIterator[Database]:
    async with Database(database) as store:
        yield store
