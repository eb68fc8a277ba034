"""The provider of docs/adding-a-provider.md, as it is printed there, is held to `GatewayContract`."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from domain.provider.outcome import Deferred
from tests.contract.gateway import GatewayContract, message
from tests.contract.test_gateway import CONTEXT

DOCUMENT = Path(__file__).parents[2] / "docs" / "adding-a-provider.md"


@pytest.fixture
def pigeon(tmp_path: Path) -> ModuleType:
    """The module that the document prints."""
    path = tmp_path / "pigeon.py"
    path.write_text(DOCUMENT.read_text().partition("```python\n")[2].partition("```")[0])
    spec = spec_from_file_location("pigeon", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def pigeon_post(request: web.Request) -> web.Response:
    """The other side: does as addresses say."""
    to = (await request.json())["to"]
    if to.startswith("refuse"):
        return web.Response(status=400, text=f"no such number: {to}")
    if to.startswith("defer"):
        return web.Response(status=503, text=f"{to} must wait")
    if to.startswith("silent"):
        await asyncio.Event().wait()
    return web.Response(status=202, text=str(uuid4()))


class TestPigeon(GatewayContract):
    @pytest.fixture
    async def gateway(self, pigeon: ModuleType) -> AsyncIterator[Any]:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/messages", pigeon_post)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        settings = pigeon.PigeonSettings(url=f"http://{host}:{port}", timeout=timedelta(seconds=0.5))
        gateway = settings.gateway(CONTEXT)
        yield gateway
        await gateway.aclose()
        await runner.cleanup()


def test_its_settings_say_what_is_missing(pigeon: ModuleType) -> None:
    assert [setting for setting, _ in pigeon.PigeonSettings().faults()] == ["token"]


async def test_nobody_there_is_a_definite_failure(pigeon: ModuleType) -> None:
    gateway = pigeon.PigeonSettings(url="http://127.0.0.1:1").gateway(CONTEXT)
    outcome = await gateway.send(message())
    await gateway.aclose()
    assert outcome == Deferred(outcome.reason, examined=False)
