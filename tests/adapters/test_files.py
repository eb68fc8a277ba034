"""Fetching attachments: only from where it is allowed, bounded, once for many."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network

import pytest
from aiohttp import web

from adapters.http.files import FetchedFiles
from domain.channel.parts import ATTACHMENTS_BYTES
from domain.kernel.errors import Unfetched
from tests.support.eventually import eventually

HERE = (ip_network("127.0.0.0/8"),)
MOST = ATTACHMENTS_BYTES


class Shop:
    """Serves files; counts how often."""

    def __init__(self) -> None:
        self.url, self.asked = "", 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        match request.path:
            case "/a.pdf":
                return web.Response(body=b"%PDF")
            case "/large":
                return await self._endless(request)
            case "/slow":
                await asyncio.Event().wait()
            case "/moved":
                raise web.HTTPFound(f"{self.url}/a.pdf")
            case "/zipped":
                return web.Response(body=b"x", headers={"Content-Encoding": "gzip"})
        raise web.HTTPNotFound

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(ATTACHMENTS_BYTES // 65_536 + 10):
            await response.write(bytes(65_536))
        return response


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    app = web.Application()
    app.router.add_get("/{tail:.*}", shop.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield shop
    await runner.cleanup()


class Watch:
    """A clock to be set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def fetching(watch: Watch | None = None, **changes: object) -> FetchedFiles:
    return FetchedFiles(**({"networks": HERE, "monotonic": watch or Watch()} | changes))  # type: ignore[arg-type]


async def test_a_file_is_fetched_once_for_all_who_want_it(shop: Shop) -> None:
    watch = Watch()
    files = fetching(watch, kept=timedelta(seconds=60))
    url = f"{shop.url}/a.pdf"
    assert set(await asyncio.gather(*(files.fetch(url, MOST) for _ in range(20)))) == {"JVBERg=="}
    assert await files.fetch(url, MOST) == base64.b64encode(b"%PDF").decode()
    assert shop.asked == 1
    watch.now = 61
    await files.fetch(url, MOST)
    assert shop.asked == 2


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/none", "answered with 404"),
        ("/moved", "answered with 302"),
        ("/large", "more than 7,340,032 bytes"),
        ("/zipped", "came compressed"),
    ],
)
async def test_what_is_no_good_is_said_without_the_path(shop: Shop, path: str, said: str) -> None:
    with pytest.raises(Unfetched, match=said) as fault:
        await fetching().fetch(f"{shop.url}{path}?secret=1", MOST)
    assert str(fault.value).startswith("127.0.0.1: ")
    assert "secret" not in str(fault.value)


async def test_time_is_bounded(shop: Shop) -> None:
    with pytest.raises(Unfetched, match=r"not there within 0\.2 s"):
        await fetching(timeout=timedelta(seconds=0.2)).fetch(f"{shop.url}/slow", MOST)


async def test_inner_networks_are_not_reached_unless_they_are_named(shop: Shop) -> None:
    with pytest.raises(Unfetched, match="in no public network"):
        await fetching(networks=()).fetch(f"{shop.url}/a.pdf", MOST)
    assert shop.asked == 0


async def test_together_they_are_bounded(shop: Shop) -> None:
    files = fetching()
    assert await files.fetch(f"{shop.url}/a.pdf", 4)
    with pytest.raises(Unfetched, match="together"):
        await files.fetch(f"{shop.url}/a.pdf", 1)


async def test_a_failure_is_not_remembered(shop: Shop) -> None:
    files = fetching()
    for asked in (1, 2):
        with pytest.raises(Unfetched):
            await files.fetch(f"{shop.url}/none", MOST)
        assert shop.asked == asked


async def test_few_run_at_a_time(shop: Shop) -> None:
    files = fetching(timeout=timedelta(seconds=0.4), at_once=2)
    slow = [asyncio.create_task(files.fetch(f"{shop.url}/slow?{n}", MOST)) for n in range(6)]
    await eventually(lambda: slow[0].done())
    assert all(isinstance(each, Unfetched) for each in await asyncio.gather(*slow, return_exceptions=True))
    assert shop.asked < 6
