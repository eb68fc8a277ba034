"""What push notifications have beside what all messages have."""

from typing import Any

import pytest

from adapters.providers.kit.settings import ProviderGateway
from domain.provider.outcome import Accepted, Refused
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import IDS, GatewayContract, message


class PushContract(GatewayContract):
    """The other side of the fixture `gateway` is a look-alike with `simulator`."""

    @pytest.fixture
    def simulator(self) -> Simulator:
        return Simulator(ids=IDS)

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
