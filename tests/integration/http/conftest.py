"""A fresh world for each test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.http.world import World, build


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = await build()
    async with world.client:
        yield world


@pytest.fixture
def client(world: World) -> httpx.AsyncClient:
    return world.client
