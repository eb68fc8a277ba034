"""What the adapters under contract stand on: fresh rows in memory, or a fresh database."""

from collections.abc import AsyncIterator

import pytest

from adapters.memory.rows import MemoryRows
from adapters.postgres.database import Database
from adapters.system import SystemClock


@pytest.fixture
def rows() -> MemoryRows:
    return MemoryRows(SystemClock())


@pytest.fixture
async def store(database: str) -> AsyncIterator[Database]:
    async with Database(database) as store:
        yield store
