"""SendGrid; the other side is our look-alike.

What judges the look-alike and us: the error answers are those that SendGrid publishes
(https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors), the request is compared with that of
SendGrid's own client in tests/peers, which also reads the look-alike's answers.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.providers.email.sendgrid import SendGridGateway, SendGridSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Refused, Unknown
from entrypoints.simulator.email.sendgrid import sendgrid
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, http, simulated
from tests.contract.test_gateway import CONTEXT
from tests.support.gathering import together


def failure(words: str, field: str | None = None) -> bytes:
    """An error answer as SendGrid has it."""
    return json.dumps({"errors": [{"message": words, "field": field, "help": None}]}).encode()


class TestSendGrid(HttpGatewayContract):
    kind = "sendgrid"

    def made(self, url: str, **changes: Any) -> SendGridGateway:
        known: dict[str, Any] = {"key": Secret("SG.key"), "timeout": timedelta(seconds=1), "pool": 2}
        return SendGridSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return sendgrid(simulator)

    async def test_equal_contents_share_a_call(self, gateway: SendGridGateway) -> None:
        outcomes = await together(
            gateway, [message(f"{each}@shop.test", subject=each) for each in ("a", "b", "b", "b")]
        )
        assert all(isinstance(each, Accepted) for each in outcomes)
        alone, *shared = [each.reference for each in outcomes]
        assert "/" not in alone
        assert {each.partition("/")[2] for each in shared} == {"0", "1", "2"}
        assert len({each.partition("/")[0] for each in shared}) == 1

    async def test_a_bad_recipient_is_taken_out_and_the_others_are_sent(
        self, gateway: SendGridGateway, simulator: Simulator
    ) -> None:
        addresses = ["ada@shop.test", "refuse@shop.test", "bob@shop.test", "refuse+2@shop.test"]
        outcomes = await together(gateway, [message(address) for address in addresses])
        assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Accepted, Refused]
        assert [got.address for got in simulator.got] == ["ada@shop.test", "bob@shop.test"]

    async def test_others_are_sent_anew_only_once(self) -> None:
        calls: list[int] = []

        async def refuse_the_first(request: web.Request) -> web.Response:
            calls.append(len((await request.json())["personalizations"]))
            return web.Response(status=400, body=failure("Invalid", "personalizations.0.to.0.email"))

        routes = [web.post("/v3/mail/send", refuse_the_first)]
        async with simulated(routes) as url, closing(self.made(url)) as gateway:
            outcomes = await together(gateway, [message() for _ in range(3)])
        assert [type(outcome) for outcome in outcomes] == [Refused, Refused, Deferred]
        assert calls == [3, 2]

    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (400, failure("Does not contain a valid address.", "personalizations.0.to.0.email"), Refused),
            (400, failure("The to array is required", "personalizations.0.to"), Refused),
            (400, failure("Bad request", "reply_to.email"), Refused),
            (400, failure("The from email does not contain a valid address.", "from.email"), AccountFault),
            (400, b'{"errors": [null, {"field": 5}]}', Refused),
            (401, failure("The provided authorization grant is invalid"), AccountFault),
            (401, failure("Maximum credits exceeded"), AccountFault),
            (403, failure("The from address does not match a verified identity", "from"), AccountFault),
            (405, failure("method not allowed"), Refused),
            (413, b"<html><h1>413 Request Entity Too Large</h1></html>", Refused),
            (415, failure("Content-Type should be application/json."), Refused),
            (429, failure("too many requests"), Deferred),
            (500, failure("An unexpected error has occurred"), Deferred),
            (502, b"<html>bad gateway</html>", Unknown),
            (503, failure("The SendGrid v3 Web API is not available."), Deferred),
        ],
    )
    async def test_published_errors(self, status: int, body: bytes, kind: type) -> None:
        assert isinstance(await self._outcome_of(http(status, body)), kind)

    async def test_a_throttle_ends_when_calls_are_counted_anew(self) -> None:
        at = (CONTEXT.clock.now() + timedelta(seconds=40)).timestamp()
        outcome = await self._outcome_of(http(429, b"{}", f"X-RateLimit-Reset: {at:.0f}"))
        assert isinstance(outcome, Deferred)
        assert outcome.retry_after is not None
        assert 30 < outcome.retry_after.total_seconds() <= 41

    async def test_reply_to_and_attachments_are_carried(
        self, gateway: SendGridGateway, simulator: Simulator
    ) -> None:
        file = {"name": "bill.pdf", "type": "application/pdf", "content": "JVBERg=="}
        outcome = await gateway.send(message(parts={"replyTo": "Ada <a@shop.test>", "attachments": [file]}))
        assert isinstance(outcome, Accepted)
        [got] = simulator.got
        assert got.document["reply_to"] == {"email": "a@shop.test", "name": "Ada"}
        assert got.document["attachments"] == [
            {"filename": "bill.pdf", "type": "application/pdf", "content": "JVBERg=="}
        ]

    @pytest.mark.parametrize("parts", [{"attachments": [{"name": "x", "type": "a/b"}]}, {"unheard": 1}])
    async def test_what_cannot_be_carried_is_refused_before_a_call(
        self, gateway: SendGridGateway, simulator: Simulator, parts: dict[str, Any]
    ) -> None:
        outcome = await gateway.send(message(parts=parts))
        assert isinstance(outcome, Refused)
        assert not outcome.examined
        assert simulator.got == []

    async def test_a_wrong_key_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with (
            simulated(self.routes(simulator)) as url,
            closing(self.made(url, key=Secret("bad"))) as gateway,
        ):
            assert isinstance(await gateway.send(message()), AccountFault)
