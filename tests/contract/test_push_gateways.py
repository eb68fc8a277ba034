"""The gateways of push services; their other side is our look-alike of each."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.providers.kit.settings import ProviderGateway
from adapters.providers.push.fcm import FcmGateway, FcmSettings
from domain.provider.outcome import Accepted, Refused
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.push.fcm import fcm, fcm_tokens
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import HttpGatewayContract, simulated
from tests.contract.test_gateway import CONTEXT
from tests.support.fcm import credentials

SHORT = timedelta(seconds=1)


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
