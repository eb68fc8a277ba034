"""The gateways of push services; their other side is our look-alike of each."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from adapters.providers.push.fcm import FcmGateway, FcmSettings
from adapters.providers.push.onesignal import OneSignalGateway, OneSignalSettings
from adapters.providers.push.web_push.gateway import WebPushGateway, WebPushSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Outcome
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.push.fcm import fcm, fcm_tokens
from entrypoints.simulator.push.onesignal import onesignal
from entrypoints.simulator.push.web_push import subscription, web_push
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import HttpGatewayContract, closing, simulated
from tests.contract.push_gateway import PushContract
from tests.contract.test_gateway import CONTEXT
from tests.support.answering import Said, answering
from tests.support.fcm import credentials

SHORT = timedelta(seconds=1)
VAPID_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"


class PushGatewayContract(PushContract, HttpGatewayContract):
    """Over HTTP/1.1."""


class TestFcm(PushGatewayContract):
    kind = "fcm"

    @pytest.fixture(autouse=True)
    async def tokens(self) -> AsyncIterator[None]:
        """Google's token endpoint stands elsewhere, and works whatever FCM does."""
        async with simulated(fcm_tokens(Simulator(ids=IDS))) as url:
            self.token_url = f"{url}/token"
            yield

    def made(self, url: str, **changes: Any) -> FcmGateway:
        known: dict[str, Any] = {"credentials": credentials(self.token_url), "timeout": SHORT}
        return FcmSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return fcm(simulator)


class Subscribed:
    """The gateway, for addresses that become subscriptions at a push service."""

    def __init__(self, gateway: WebPushGateway, service: str) -> None:
        self._gateway = gateway
        self._service = service

    async def send(self, message: OutboundMessage) -> Outcome:
        address = subscription(self._service, message.address)
        return await self._gateway.send(msgspec.structs.replace(message, address=address))

    async def aclose(self) -> None:
        await self._gateway.aclose()


class TestWebPush(PushGatewayContract):
    kind = "web_push"
    unreadable = Accepted  # the status says everything

    def made(self, url: str, **changes: Any) -> Subscribed:
        known: dict[str, Any] = {
            "key": Secret(VAPID_KEY),
            "contact": "mailto:push@shop.test",
            "networks": ("127.0.0.0/8", "::1/128"),
            "timeout": SHORT,
        }
        return Subscribed(WebPushSettings(**(known | changes)).gateway(CONTEXT), url)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return web_push(simulator)

    async def test_another_key_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with answering(Said(403)) as service, closing(self.made(service.url)) as gateway:
            outcome = await gateway.send(message())
        assert isinstance(outcome, AccountFault)
        assert not outcome.certain


class TestOneSignal(PushGatewayContract):
    kind = "onesignal"

    def made(self, url: str, **changes: Any) -> OneSignalGateway:
        known: dict[str, Any] = {"app": "app-1", "key": Secret("os_v2_app_x"), "timeout": SHORT}
        return OneSignalSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return onesignal(simulator)

    async def test_a_wrong_key_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with (
            simulated(self.routes(simulator)) as url,
            closing(self.made(url, key=Secret("bad"))) as gateway,
        ):
            assert isinstance(await gateway.send(message()), AccountFault)

    async def test_the_same_delivery_is_sent_once(
        self, gateway: OneSignalGateway, simulator: Simulator
    ) -> None:
        sent = message()
        first = await gateway.send(sent)
        assert await gateway.send(msgspec.structs.replace(sent, attempt=2)) == first
        assert len(simulator.got) == 1
