"""The server on a real socket, in this loop."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.system import SystemIds
from domain.kernel.errors import Misconfigured
from entrypoints.http.server.supervisor import ConnectionLimits
from entrypoints.processes.http_server import HttpActor, listen
from tests.api.world import INLINE, World
from tests.bench.http_load import Unexpected, load
from tests.support.eventually import eventually
from tests.support.telemetry import RecordedTelemetry


class Running:
    """A server, its port, and how to stop it."""

    def __init__(self, actor: HttpActor) -> None:
        self.actor, self.port = actor, actor.port
        self.url = f"http://127.0.0.1:{self.port}"
        self.task = asyncio.create_task(actor.run())


@contextlib.asynccontextmanager
async def running(
    app: object, limits: ConnectionLimits | None = None, telemetry: RecordedTelemetry | None = None
) -> AsyncIterator[Running]:
    server = Running(
        HttpActor(
            app=app,
            socket=listen("127.0.0.1", 0, "http.port"),
            telemetry=telemetry or RecordedTelemetry(),
            fresh=SystemIds().next,
            limits=limits or ConnectionLimits(),
        )
    )
    await eventually(lambda: accepts(server.port))
    try:
        yield server
    finally:
        server.actor.stop()
        await server.task


async def test_it_serves_until_it_is_told_to_stop(world: World) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    async with running(world.app) as server, httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/livez")
        assert answer.status_code == 200
        assert "server" not in answer.headers
        headers = {"Authorization": f"Bearer {world.live_key}"}
        posted = await client.post("/api/notifications", json=INLINE, headers=headers)
        assert posted.status_code == 202
        assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == before
        server.actor.stop()
        await asyncio.wait_for(server.task, 5)  # though the client's connection is kept alive
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as client:
            await client.get(server.url + "/livez")


async def test_what_is_in_flight_is_answered_before_it_ends(world: World) -> None:
    world.acceptance.hold = asyncio.Event()
    async with running(world.app) as server, httpx.AsyncClient(base_url=server.url) as client:
        headers = {"Authorization": f"Bearer {world.live_key}"}
        asked = asyncio.create_task(client.post("/api/notifications", json=INLINE, headers=headers))
        await eventually(lambda: world.acceptance.asked)
        server.actor.stop()
        await eventually(lambda: refuses(server.port))
        assert not server.task.done()
        world.acceptance.hold.set()
        assert (await asked).status_code == 202
        await asyncio.wait_for(server.task, 5)


async def accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:  # refused, or reset where it closed in between
        return False
    writer.close()
    return True


async def refuses(port: int) -> bool:
    return not await accepts(port)


async def test_what_never_ends_does_not_hold_it_for_ever() -> None:
    async def endless(scope: dict[str, object], receive: object, send: object) -> None:
        await asyncio.Event().wait()

    async with running(endless) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await writer.drain()
        server.actor.stop()
        await asyncio.wait_for(server.task, 10)
        writer.close()


async def test_an_address_in_use_is_a_clear_error(world: World) -> None:
    async with running(world.app) as server:
        with pytest.raises(Misconfigured, match=f"127.0.0.1:{server.port}.*in use.*http.port"):
            listen("127.0.0.1", server.port, "http.port")


async def test_the_load_generator_counts_what_was_answered(world: World) -> None:
    def body() -> tuple[bytes, dict[str, str]]:
        return httpx.Request("POST", "http://x", json=INLINE).content, {"X-Own": "1"}

    async with running(world.app) as server:
        url = server.url + "/api/notifications"
        report = await load(url, key=world.live_key, body=body, connections=4, seconds=0.5, warm_up=0.0)
        assert report.statuses == {202: report.requests}
        assert 0 < report.requests <= len(world.rows.notifications)
        assert 0 < report.p50_ms <= report.p99_ms <= report.max_ms
        with pytest.raises(Unexpected, match="401"):
            await load(url, key="wrong", body=body, connections=1, seconds=0.5)
