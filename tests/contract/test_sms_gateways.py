"""The gateways of SMS providers; their other side is our look-alike of each.

That the look-alikes speak as the providers do is shown in tests/peers, by the providers' own clients.
"""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.providers.kit.settings import ProviderGateway
from adapters.providers.sms.twilio import TwilioGateway, TwilioSettings
from adapters.providers.sms.vonage import VonageGateway, VonageSettings
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.sms.twilio import twilio
from entrypoints.simulator.sms.vonage import vonage
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, http, simulated
from tests.contract.test_gateway import CONTEXT

SHORT = timedelta(seconds=1)


class SmsGatewayContract(HttpGatewayContract):
    """What text messages have beside what all have."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": None},
            {"subject": None},
            {"html_body": "<p>Thank you.</p>"},
            {"body": "Grüße, 谢谢 🎉\n"},
            {"body": "x" * 1_530},
            {"body": "ç" * 670},
            {"body": "€ & = + % ; ?"},
            {"parts": {"smartEncoding": False}},
            {"attempt": 7},
        ],
    )
    async def test_every_shape_of_message_is_carried(
        self, gateway: ProviderGateway, changes: dict[str, Any]
    ) -> None:
        assert isinstance(await gateway.send(message(**changes)), Accepted)

    @pytest.mark.parametrize(
        "changes",
        [
            {"body": None},
            {"body": " \n"},
            {"body": "x" * 1_531},
            {"body": "ç" * 671},
            {"body": "…" * 671, "parts": {"smartEncoding": False}},
            {"parts": {"preheader": "none of ours"}},
        ],
    )
    async def test_what_cannot_be_sent_is_refused_without_a_call(
        self, gateway: ProviderGateway, simulator: Simulator, changes: dict[str, Any]
    ) -> None:
        outcome = await gateway.send(message(**changes))
        assert isinstance(outcome, Refused)
        assert not outcome.examined
        assert simulator.got == []

    @pytest.mark.parametrize(
        ("parts", "sent"), [({}, "It's 5 € - now..."), ({"smartEncoding": False}, "It’s 5 € – now…")]
    )
    async def test_typography_becomes_plain_unless_it_shall_not(
        self, gateway: ProviderGateway, simulator: Simulator, parts: dict[str, Any], sent: str
    ) -> None:
        await gateway.send(message(body="It’s 5 € – now…", parts=parts))
        assert sent in simulator.got[0].document.values()


def kinds(outcome: Outcome) -> tuple[type, bool]:
    """What an outcome is, and whether it is the account's fault for certain."""
    return type(outcome), isinstance(outcome, AccountFault) and outcome.certain


class TestTwilio(SmsGatewayContract):
    kind = "twilio"

    def made(self, url: str, **changes: Any) -> TwilioGateway:
        known: dict[str, Any] = {
            "account": "AC0123456789abcdef0123456789abcdef",
            "token": Secret("auth-token"),
            "sender": "+15005550006",
            "callback": "https://shop.test/callbacks/twilio?account=main",
            "timeout": SHORT,
        }
        return TwilioSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return twilio(simulator)

    async def test_a_wrong_token_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with (
            simulated(self.routes(simulator)) as url,
            closing(self.made(url, token=Secret("bad"))) as gateway,
        ):
            assert isinstance(await gateway.send(message()), AccountFault)

    async def test_a_callback_keeps_its_own_query(self, gateway: TwilioGateway, simulator: Simulator) -> None:
        sent = message(attempt=2)
        await gateway.send(sent)
        assert simulator.got[0].document["StatusCallback"] == (
            "https://shop.test/callbacks/twilio?account=main"
            f"&posthorn_delivery={sent.delivery}&posthorn_attempt=2"
        )

    @pytest.mark.parametrize(
        ("status", "code", "kind", "certain"),
        [
            (400, 21211, Refused, False),
            (400, 21614, Refused, False),
            (400, 21612, Refused, False),
            (400, 21635, Refused, False),
            (400, 21610, Refused, False),
            (400, 21602, Refused, False),
            (400, 21617, Refused, False),
            (400, 21408, AccountFault, False),
            (400, 21606, AccountFault, False),
            (400, 21608, AccountFault, False),
            (400, 21659, AccountFault, False),
            (400, 21603, AccountFault, True),
            (400, 21703, AccountFault, True),
            (401, 20003, AccountFault, True),
            (403, 20005, AccountFault, True),
            (404, 20404, AccountFault, True),
            (400, 21611, Deferred, False),
            (429, 20429, Deferred, False),
            (500, 20500, Deferred, False),
            (503, 20503, Deferred, False),
            (400, 99999, Refused, False),
        ],
    )
    async def test_what_its_error_codes_mean(self, status: int, code: int, kind: type, certain: bool) -> None:
        body = f'{{"code": {code}, "message": "no", "status": {status}}}'.encode()
        assert kinds(await self._outcome_of(http(status, body))) == (kind, certain)

    async def test_who_has_unsubscribed_is_named_so(self) -> None:
        outcome = await self._outcome_of(http(400, b'{"code": 21610}'))
        assert isinstance(outcome, Refused)
        assert outcome.reason.startswith("unsubscribed: ")


class TestVonage(SmsGatewayContract):
    kind = "vonage"

    def made(self, url: str, **changes: Any) -> VonageGateway:
        known: dict[str, Any] = {
            "key": "abcd1234",
            "secret": Secret("api-secret"),
            "sender": "+447700900001",
            "timeout": SHORT,
        }
        return VonageSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return vonage(simulator)

    async def test_a_wrong_secret_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with (
            simulated(self.routes(simulator)) as url,
            closing(self.made(url, secret=Secret("bad"))) as gateway,
        ):
            assert isinstance(await gateway.send(message()), AccountFault)

    def test_a_private_key_that_is_none_is_a_fault_of_the_configuration(self) -> None:
        with pytest.raises(Misconfigured, match="no private RSA key"):
            self.made("http://127.0.0.1:1", application="app", private_key=Secret("none"))

    @pytest.mark.parametrize(
        ("status", "code", "kind", "certain"),
        [
            (422, "messages#1430", Refused, False),
            (422, "messages#1170", Refused, False),
            (422, "messages#1240", Refused, False),
            (422, "messages#1010", Refused, False),
            (422, "messages-olympus#1150", Refused, False),
            (400, "api-errors#invalid-json", Refused, False),
            (422, "messages#1120", AccountFault, False),
            (401, "#unauthorized", AccountFault, True),
            (402, "#low-balance", AccountFault, True),
            (403, "#forbidden", AccountFault, True),
            (422, "messages#1060", AccountFault, True),
            (422, "messages#1070", AccountFault, True),
            (429, "messages#1000", Deferred, False),
            (422, "messages#1241", Deferred, False),
            (500, "messages#1030", Deferred, False),
            (422, "messages#1331", Deferred, False),
        ],
    )
    async def test_what_its_error_codes_mean(self, status: int, code: str, kind: type, certain: bool) -> None:
        body = f'{{"type": "https://developer.vonage.com/api-errors/{code}", "title": "no"}}'.encode()
        assert kinds(await self._outcome_of(http(status, body))) == (kind, certain)
