"""What a gateway makes of a provider that fails, and whether the provider took the message all the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from adapters.providers.email.postmark import PostmarkSettings
from adapters.providers.sms.twilio import TwilioSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Unknown
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.server import serve
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT

BRIEF = timedelta(milliseconds=300)


class Broken:
    """The simulated providers, and how one is broken and mended."""

    def __init__(self, url: str, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        self.url, self.simulator, self._session = url, simulator, session

    async def ask(self, method: str, path: str, document: Any = None) -> tuple[int, str]:
        async with self._session.request(method, f"{self.url}{path}", json=document) as answer:
            return answer.status, await answer.text()

    async def fails(self, kind: str, **how: Any) -> None:
        assert await self.ask("PUT", f"/_faults/{kind}", how) == (204, "")

    async def email(self) -> Outcome:
        settings = PostmarkSettings(url=f"{self.url}/postmark", token=Secret("any"), timeout=BRIEF)
        async with closing(settings.gateway(CONTEXT)) as gateway:
            return await gateway.send(message())

    async def text(self) -> Outcome:
        settings = TwilioSettings(
            url=f"{self.url}/twilio", account="AC1", token=Secret("any"), sender="SHOP", timeout=BRIEF
        )
        async with closing(settings.gateway(CONTEXT)) as gateway:
            return await gateway.send(message("+447700900123"))


@pytest.fixture
async def providers() -> AsyncIterator[Broken]:
    async with serving() as broken:
        yield broken


@asynccontextmanager
async def serving() -> AsyncIterator[Broken]:
    simulator = Simulator(ids=IDS)
    runner = await serve(simulator, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            yield Broken(f"http://127.0.0.1:{runner.addresses[0][1]}", simulator, session)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("how", "kind", "taken"),
    [
        ({"status": 503}, Deferred, False),
        ({"status": 401}, AccountFault, False),
        ({"status": 429, "headers": {"Retry-After": "7"}}, Deferred, False),
        ({"status": 502, "body": "<html>"}, Unknown, False),
        ({"fails": "hangs"}, Unknown, False),
        ({"fails": "drops"}, Unknown, False),
        ({"fails": "breaks"}, Unknown, True),
        ({"fails": "silent"}, Unknown, True),
    ],
)
async def test_a_provider_fails_as_it_is_told(
    providers: Broken, how: dict[str, Any], kind: type, taken: bool
) -> None:
    await providers.fails("postmark", **how)
    assert isinstance(await providers.email(), kind)
    assert bool(providers.simulator.got) is taken
    assert await providers.ask("DELETE", "/_faults/postmark") == (204, "")
    assert isinstance(await providers.email(), Accepted)


async def test_others_go_on(providers: Broken) -> None:
    await providers.fails("postmark", status=500)
    assert isinstance(await providers.text(), Accepted)


async def test_a_documented_error_is_answered_word_for_word(providers: Broken) -> None:
    body = {"code": 21408, "message": "Permission to send an SMS has not been enabled", "status": 403}
    await providers.fails("twilio", status=403, body=body, times=1)
    outcome = await providers.text()
    assert isinstance(outcome, AccountFault)
    assert "21408" in outcome.reason
    assert isinstance(await providers.text(), Accepted)


async def test_a_fault_of_so_many_calls_ends_by_itself(providers: Broken) -> None:
    await providers.fails("postmark", status=503, times=2)
    outcomes = [await providers.email() for _ in range(3)]
    assert [type(each) for each in outcomes] == [Deferred, Deferred, Accepted]


@pytest.mark.parametrize(
    ("kind", "document", "status"),
    [("nobody", {}, 404), ("postmark", {"status": 200}, 400), ("postmark", {"fails": "rests"}, 400)],
)
async def test_what_is_no_fault_is_refused(providers: Broken, kind: str, document: Any, status: int) -> None:
    assert (await providers.ask("PUT", f"/_faults/{kind}", document))[0] == status
    assert await providers.ask("GET", "/_faults") == (200, "{}")
