"""A fresh world for each test."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import uvloop

from tests.api.world import World, build


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of the product: its transports are not those of asyncio."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = await build()
    async with world.client:
        yield world


@pytest.fixture
def client(world: World) -> httpx.AsyncClient:
    return world.client
