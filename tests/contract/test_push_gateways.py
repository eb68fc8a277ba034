"""The gateways of push services; their other side is our look-alike of each."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from adapters.providers.kit.settings import ProviderGateway
from adapters.providers.push.fcm import FcmGateway, FcmSettings
from adapters.providers.push.web_push.gateway import WebPushGateway, WebPushSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Outcome, Refused
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.push.fcm import fcm, fcm_tokens
from entrypoints.simulator.push.web_push import subscription, web_push
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import HttpGatewayContract, closing, simulated
from tests.contract.test_gateway import CONTEXT
from tests.support.answering import Said, answering
from tests.support.fcm import credentials

SHORT = timedelta(seconds=1)
VAPID_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"


class PushGatewayContract(HttpGatewayContract):
    """What push notifications have beside what all have."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": None},
            {"subject": None},
            {"body": None},
            {"body": None, "html_body": "<p>Thank you.</p>"},
            {"subject": "Ünïcödé 🎉 " * 20, "body": "Grüße, 谢谢 🎉\n" * 80},
            {"body": "x" * 3_500},
            {"body": 'He said: "No."\\\t\x00'},
            {"parts": {"data": {"order": "7", "posthorn_delivery": "of somebody else"}}},
            {"parts": {"badge": 0, "sound": "ding", "ttl": "PT0S", "collapseKey": "Ihre Bestellung, Nr. 7"}},
            {"parts": {"image": "https://shop.test/a.png", "link": "shop://orders/7", "urgency": "normal"}},
            {"attempt": 7},
        ],
    )
    async def test_every_shape_of_message_is_carried(
        self, gateway: ProviderGateway, changes: dict[str, Any]
    ) -> None:
        assert isinstance(await gateway.send(message(**changes)), Accepted)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"body": "x" * 4_097}, "bytes"),
            ({"body": "谢" * 1_366}, "bytes"),
            ({"parts": {"data": {"order": "x" * 4_090}}}, "bytes"),
            ({"parts": {"preheader": "of an e-mail"}}, "parts"),
        ],
    )
    async def test_what_cannot_be_sent_is_refused_without_a_call(
        self, gateway: ProviderGateway, simulator: Simulator, changes: dict[str, Any], reason: str
    ) -> None:
        outcome = await gateway.send(message(**changes))
        assert isinstance(outcome, Refused)
        assert not outcome.examined
        assert reason in outcome.reason
        assert simulator.got == []


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
