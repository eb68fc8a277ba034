"""Calls to AWS by a machine whose clock is wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from adapters.providers.email.ses import SesSettings
from adapters.providers.kit.settings import ProviderContext
from adapters.system import SystemDice
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault
from tests.contract.gateway import message
from tests.contract.http_gateway import closing, simulated
from tests.support.clock import HandClock

THEIRS = HandClock().now()


@asynccontextmanager
async def ses(*, broken: bool = False) -> AsyncIterator[tuple[str, list[timedelta]]]:
    """SES whose time stands still, and how far each call was signed away from it."""
    signed: list[timedelta] = []

    async def send(request: web.Request) -> web.Response:
        at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        signed.append(abs(at - THEIRS))
        headers = {"Date": format_datetime(THEIRS, usegmt=True)}
        if broken or signed[-1] > timedelta(minutes=5):
            headers["x-amzn-errortype"] = "InvalidSignatureException"
            return web.json_response({"message": "Signature expired"}, status=403, headers=headers)
        return web.json_response({"MessageId": "id"}, headers=headers)

    async with simulated([web.post("/{path:.+}", send)]) as url:
        yield url, signed


def settings(url: str) -> SesSettings:
    return SesSettings(url=url, key_id="AKIDEXAMPLE", secret=Secret("secret"))


def context(clock: HandClock) -> ProviderContext:
    return ProviderContext(clock=clock, dice=SystemDice(), call_max=timedelta(seconds=30))


@pytest.mark.parametrize("wrong", [-3_600, 3_600, 86_400 * 3])
async def test_a_wrong_clock_is_corrected_once(wrong: int) -> None:
    clock = HandClock()
    clock.go_on(wrong)
    async with ses() as (url, signed), closing(settings(url).gateway(context(clock))) as gateway:
        for _ in range(3):
            assert isinstance(await gateway.send(message()), Accepted)
    assert [each > timedelta(minutes=5) for each in signed] == [True, False, False, False]


async def test_a_refusal_that_is_not_about_the_clock_is_not_repeated() -> None:
    clock = HandClock()
    async with ses(broken=True) as (url, signed), closing(settings(url).gateway(context(clock))) as gateway:
        assert isinstance(await gateway.send(message()), AccountFault)
    assert len(signed) == 1


async def test_a_refusal_is_repeated_once() -> None:
    clock = HandClock()
    clock.go_on(3_600)
    async with ses(broken=True) as (url, signed), closing(settings(url).gateway(context(clock))) as gateway:
        assert isinstance(await gateway.send(message()), AccountFault)
        assert isinstance(await gateway.send(message()), AccountFault)
    assert len(signed) == 3
