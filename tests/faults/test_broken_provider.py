"""A provider that breaks under a fleet: what one worker finds out, the others need not find out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import aiohttp
import pytest

from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.server import serve
from tests.contract.gateway import IDS
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.process import Child
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

WORKERS = 4
CALLS_MAX, SECONDS_MAX = 50, 5
"""Of the whole fleet, after its first process has stopped calling."""
AFTER = """
SELECT count(*) AS calls, coalesce(extract(epoch FROM max(begun_at) - $1), 0)::float AS seconds
FROM delivery_attempts WHERE provider = 'first' AND begun_at > $1
"""
ACCOUNTS = """
[providers.first]
kind = "twilio"
url = "{url}/twilio"
account = "AC1"
token = "any"
from = "+15005550006"

[providers.second]
kind = "vonage"
url = "{url}/vonage"
key = "k"
secret = "s"
from = "Shop"

[engine]
prefetch = 20
"""


class Providers:
    """The simulated ones, and how often each was asked."""

    def __init__(self, url: str, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        self.url, self.simulator, self._session = url, simulator, session

    async def fails(self, **how: object) -> None:
        async with self._session.put(f"{self.url}/_faults/twilio", json=how) as answer:
            assert answer.status == 204

    async def calls(self) -> int:
        """That met the fault."""
        async with self._session.get(f"{self.url}/_faults") as answer:
            return int((await answer.json())["twilio"]["met"])


@asynccontextmanager
async def simulated() -> AsyncIterator[Providers]:
    simulator = Simulator(ids=IDS)
    runner = await serve(simulator, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            yield Providers(f"http://127.0.0.1:{runner.addresses[0][1]}", simulator, session)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("how", [{"status": 500}, {"status": 401}], ids=["fails", "refuses our account"])
async def test_a_fleet_leaves_a_broken_provider_alone(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer, how: dict[str, int]
) -> None:
    async with simulated() as providers:
        toml = ACCOUNTS.format(url=providers.url)
        async with opened_shop(sandbox, postgres_server, rabbitmq_server, toml=toml, ledger=False) as shop:
            await shop.start("api")
            fleet = await asyncio.gather(*(shop.start("worker", "--channels", "sms") for _ in range(WORKERS)))
            await _channel(shop, ["first", "second"])
            await providers.fails(**how)
            sent = 600
            for done in range(100, sent + 1, 100):
                await _texts(shop, 100)
                await eventually(partial(_all_sent, shop, done), timeout=60)
            assert len(providers.simulator.got) == sent
            assert await providers.calls() > 0
            [after] = await shop.fetch(AFTER, min(filter(None, map(_stopped, fleet))))
            assert after["calls"] <= CALLS_MAX
            assert after["seconds"] <= SECONDS_MAX
            assert await shop.value("SELECT count(*) FROM dead_letter_queue") == 0


def _stopped(worker: Child) -> datetime | None:
    """When it stopped calling; None: it never found out by itself."""
    said = [
        datetime.fromisoformat(line["timestamp"])
        for line in worker.log_lines()
        if line["event"] == "provider.paused"
        or (line["event"] == "provider.breaker" and line.get("state") == "open")
    ]
    return min(said, default=None)


async def _all_sent(shop: Shop, count: int) -> bool:
    return await shop.sent() == count


async def _channel(shop: Shop, names: list[str]) -> None:
    shown = await shop.call("GET", "/api/channels/sms")
    body = {"providers": names}
    answer = await shop.call("PUT", "/api/channels/sms", body, headers={"If-Match": '"1"'})
    assert answer.status == 200, (shown.body, answer.body)


async def _texts(shop: Shop, count: int) -> None:
    asked = [
        {
            "notificationType": "parcel",
            "channelType": "sms",
            "recipients": [{"phone": f"+447700900{n:03d}"}],
            "body": "Your parcel is here.",
        }
        for n in range(count)
    ]
    answer = await shop.call("POST", "/api/notifications/batch", {"notifications": asked})
    assert answer.status < 300, answer.body
