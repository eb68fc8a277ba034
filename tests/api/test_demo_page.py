"""The demo's page answers under its own names only: nobody else's page may read the mails in it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from entrypoints.demo.channels import serve_providers
from entrypoints.demo.feed import Feed
from entrypoints.demo.page import pages
from entrypoints.demo.sink import MailSink
from entrypoints.demo.tally import Tally
from entrypoints.http.app import create_app
from tests.api.world import World, errors_of

PATHS = (
    "/",
    "/demo/assets/app.js",
    "/demo/feed",
    "/demo/providers",
    "/demo/mails/1",
    "/demo/mails/1/html",
    "/demo/mails/1/text",
    "/demo/messages/1",
)


@pytest.fixture
async def demo(world: World) -> AsyncIterator[httpx.AsyncClient]:
    feed = Feed()
    feed.close()
    providers = await serve_providers()
    routes = pages(feed, Tally(), MailSink(lambda _mail: None), providers)
    app = create_app(world.app.services, pages=routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client
    await providers.stop()


HOME = ("localhost", "LOCALHOST:8025", "demo.localhost", "127.0.0.1", "127.0.0.1:8025", "[::1]:8025")
ABROAD = (
    "rebound.example.com",
    "rebound.example.com:8025",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "xlocalhost",
    "localhost@rebound.example.com",
    "127.1",
    "0x7f000001",
)


async def test_it_is_at_home_under_addresses_and_localhost(demo: httpx.AsyncClient) -> None:
    for host in HOME:
        for path in PATHS[:4]:
            assert (await demo.get(path, headers={"Host": host})).status_code == 200, host
        for path in PATHS[4:]:
            assert errors_of(await demo.get(path, headers={"Host": host}), 404) == {}, host


async def test_under_another_name_it_tells_nothing(demo: httpx.AsyncClient) -> None:
    for host in ABROAD:
        for path in PATHS:
            assert errors_of(await demo.get(path, headers={"Host": host}), 421) == {}, host


async def test_other_routes_do_not_mind(demo: httpx.AsyncClient) -> None:
    assert (await demo.get("/livez", headers={"Host": "posthorn.internal"})).status_code == 200
