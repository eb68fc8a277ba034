"""Mailgun; the other side is our look-alike.

What judges the look-alike and us: error answers are those that Mailgun publishes in its API reference;
tests/peers compares our requests with those of Mailgun's own client, which also reads the look-alike's
answers.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.providers.email.mailgun import MailgunGateway, MailgunSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from entrypoints.simulator.email.mailgun import mailgun
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, http, simulated
from tests.contract.lookup import LookupContract
from tests.contract.test_gateway import CONTEXT
from tests.support.gathering import together


def counted(routes: Sequence[web.RouteDef]) -> tuple[list[web.RouteDef], list[str]]:
    """The same routes, and the paths of the calls that they get."""
    calls: list[str] = []

    def watched(route: web.RouteDef) -> web.RouteDef:
        async def handle(request: web.Request) -> web.StreamResponse:
            calls.append(request.path)
            return await route.handler(request)  # type: ignore[operator,misc]  # all are functions

        return web.route(route.method, route.path, handle)

    return [watched(each) for each in routes], calls


class TestMailgun(LookupContract, HttpGatewayContract):
    kind = "mailgun"

    def made(self, url: str, **changes: Any) -> MailgunGateway:
        known: dict[str, Any] = {
            "domain": "mail.shop.test",
            "key": Secret("key-1"),
            "timeout": timedelta(seconds=1),
        }
        return MailgunSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return mailgun(simulator)

    async def test_the_message_id_is_ours_and_the_same_on_every_attempt(
        self, gateway: MailgunGateway, simulator: Simulator
    ) -> None:
        sent = message()
        again = message(delivery=sent.delivery, attempt=2)
        for each in (sent, again):
            assert await gateway.send(each) == Accepted(f"{sent.delivery}@mail.shop.test")
        assert [got.attempt for got in simulator.got] == [1, 2]

    async def test_messages_with_the_same_content_share_a_call_and_nobody_sees_the_others(
        self, simulator: Simulator
    ) -> None:
        messages = [message(f"guest-{n}@shop.test", name=f"Guest, {n}") for n in range(30)]
        routes, calls = counted(self.routes(simulator))
        async with simulated(routes) as url, closing(self.made(url)) as gateway:
            outcomes = await together(gateway, messages)
        assert len(calls) == 1
        assert len({each.reference for each in outcomes if isinstance(each, Accepted)}) == 30
        assert [(each.delivery, each.address) for each in simulator.got] == [
            (each.delivery, each.address) for each in messages
        ]

    async def test_messages_that_differ_do_not_share_a_call(self, simulator: Simulator) -> None:
        bodies = ["Thank you, Ada.", "Thank you, Bob.", "100 %recipient.name%", "100 %recipient.name%"]
        messages = [message(f"guest-{n}@shop.test", body=body) for n, body in enumerate(bodies)]
        routes, calls = counted(self.routes(simulator))
        async with simulated(routes) as url, closing(self.made(url)) as gateway:
            await together(gateway, messages)
        assert len(calls) == 4
        assert [each.document["text"] for each in simulator.got] == bodies, "nothing is filled in"

    async def test_two_messages_to_one_address_are_two(
        self, gateway: MailgunGateway, simulator: Simulator
    ) -> None:
        messages = [message("ada@shop.test"), message("bob@shop.test"), message("Ada@shop.test")]
        outcomes = await together(gateway, messages)
        assert {type(each) for each in outcomes} == {Accepted}
        assert sorted(str(got.delivery) for got in simulator.got) == [str(each.delivery) for each in messages]

    async def test_of_a_batch_that_is_refused_the_others_are_sent(
        self, gateway: MailgunGateway, simulator: Simulator
    ) -> None:
        addresses = [f"guest-{n}@shop.test" for n in range(20)]
        addresses[7] = "refuse@shop.test"
        outcomes = await together(gateway, [message(each) for each in addresses])
        assert [place for place, each in enumerate(outcomes) if isinstance(each, Refused)] == [7]
        assert sum(isinstance(each, Accepted) for each in outcomes) == len(simulator.got) == 19

    async def test_a_batch_without_an_answer_is_unknown_for_all(self, gateway: MailgunGateway) -> None:
        messages = [message("ada@shop.test"), message("silent@shop.test"), message("bob@shop.test")]
        assert {type(each) for each in await together(gateway, messages)} == {Unknown}

    async def test_attachments_keep_their_names_and_the_fields_beside_them(
        self, gateway: MailgunGateway, simulator: Simulator
    ) -> None:
        parts = {
            "replyTo": "help@shop.test",
            "attachments": [
                {"name": "Rechnung März.pdf", "type": "application/pdf", "content": "JVBERi0="},
                {"name": 'a "b"\r\n.txt', "type": "text/plain", "content": ""},
            ],
        }
        outcome = await gateway.send(message(body="Grüße, 谢谢 🎉\n", parts=parts))
        assert isinstance(outcome, Accepted)
        document = simulator.got[0].document
        assert document["text"] == "Grüße, 谢谢 🎉\n"
        assert document["h:Reply-To"] == "help@shop.test"
        assert document["attachment"] == [
            {"name": "Rechnung März.pdf", "type": "application/pdf", "bytes": 5},
            {"name": 'a "b".txt', "type": "text/plain", "bytes": 0},
        ]

    @pytest.mark.parametrize(
        "attachment",
        [
            {"name": "a", "type": "text/plain", "url": "https://shop.test/a"},
            {"name": "a", "type": "text/plain", "content": "not base64!"},
        ],
    )
    async def test_an_attachment_that_cannot_go_along_refuses_the_message_without_a_call(
        self, gateway: MailgunGateway, simulator: Simulator, attachment: dict[str, str]
    ) -> None:
        outcome = await gateway.send(message(parts={"attachments": [attachment]}))
        assert isinstance(outcome, Refused)
        assert not outcome.examined
        assert simulator.got == []

    async def test_a_wrong_key_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with (
            simulated(self.routes(simulator)) as url,
            closing(self.made(url, key=Secret("bad"))) as gateway,
        ):
            assert isinstance(await gateway.send(message()), AccountFault)

    @pytest.mark.parametrize(
        ("status", "words", "kind"),
        [
            (400, "'to' parameter is not a valid address. please check documentation", Refused),
            (400, "to parameter is not a valid address. please check documentation.", Refused),
            (400, "Need at least one of 'text', 'html' parameters specified", Refused),
            (400, "Send options (parameters starting with o:, h:, or v:) are limited to 16KB total", Refused),
            (400, "'from' parameter is missing", AccountFault),
            (400, "from parameter is not a valid address. please check documentation", AccountFault),
            (400, "Domain mail.shop.test is disabled", AccountFault),
            (402, "Payment required", AccountFault),
            (403, "Domain mail.shop.test is not allowed to send", AccountFault),
            (404, "Domain not found: mail.shop.test", AccountFault),
            (413, "Request entity too large", Refused),
            (403, "Domain mail.shop.test is not allowed to send: recipient limit exceeded", Deferred),
            (429, "account-requests-per-sec limit exceeded, try again after 120 seconds", Deferred),
            (500, "Internal Server Error", Deferred),
        ],
    )
    async def test_what_its_errors_mean(self, status: int, words: str, kind: type) -> None:
        assert isinstance(await self._said(status, words), kind)

    async def test_a_sandbox_domain_is_uncertain_to_reach_nobody(self) -> None:
        words = "Sandbox subdomains are for test purposes only. Please add your own domain or add the address"
        outcome = await self._said(403, words)
        assert isinstance(outcome, AccountFault)
        assert not outcome.certain

    async def _said(self, status: int, words: str) -> Outcome:
        return await self._outcome_of(http(status, json.dumps({"message": words}).encode()))
