"""Resend; the other side is our look-alike.

What judges the look-alike and us: error answers are those that Resend publishes
(https://resend.com/docs/api-reference/errors); tests/peers compares our requests with those of Resend's own
client, which also reads the look-alike's answers.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.providers.email.resend import ResendGateway, ResendSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Refused, Unknown
from entrypoints.simulator.email.resend import resend
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, http, simulated
from tests.contract.test_gateway import CONTEXT
from tests.support.gathering import together

FILE = {"name": "invoice.pdf", "type": "application/pdf", "content": "JVBERi0="}


class TestResend(HttpGatewayContract):
    kind = "resend"

    def made(self, url: str, **changes: Any) -> ResendGateway:
        known: dict[str, Any] = {"key": Secret("re_key"), "timeout": timedelta(seconds=1)}
        return ResendSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return resend(simulator)

    async def test_a_batch_sends_the_others_when_some_are_refused(
        self, gateway: ResendGateway, simulator: Simulator
    ) -> None:
        addresses = ["ada@shop.test", "refuse@shop.test", "bob@shop.test", "refuse+2@shop.test"]
        outcomes = await together(gateway, [message(address) for address in addresses])
        assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Accepted, Refused]
        assert [got.address for got in simulator.got] == ["ada@shop.test", "bob@shop.test"]

    async def test_each_message_gets_its_own_id_and_its_own_error(self) -> None:
        said = {
            "data": [{"id": "id-0"}, {"id": "id-2"}],
            "errors": [
                {"index": 1, "message": "Invalid `to` field."},
                {"index": 3, "message": "Invalid `from` field."},
            ],
        }
        outcomes = await self._outcomes_of(said, 4)
        assert outcomes[0] == Accepted("id-0")
        assert isinstance(outcomes[1], Refused)
        assert outcomes[2] == Accepted("id-2")
        assert isinstance(outcomes[3], AccountFault)

    @pytest.mark.parametrize(
        "said",
        [
            {"data": [{"id": "id-0"}]},
            {"data": [{"id": "id-0"}, {"id": "id-1"}, {"id": "id-2"}]},
            {"data": [{"id": "id-0"}], "errors": [{"index": 7, "message": "no"}]},
            {"data": [{"id": "id-0"}], "errors": [{"message": "no"}]},
            {"data": ["id-0", "id-1"]},
        ],
    )
    async def test_ids_that_cannot_be_told_apart_are_nobodys(self, said: dict[str, Any]) -> None:
        outcomes = await self._outcomes_of(said, 2)
        assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]

    async def test_the_same_attempt_is_sent_once_and_the_next_one_anew(
        self, gateway: ResendGateway, simulator: Simulator
    ) -> None:
        sent = message()
        first, repeated = await gateway.send(sent), await gateway.send(sent)
        assert first == repeated
        assert len(simulator.got) == 1
        following = await gateway.send(message(delivery=sent.delivery, attempt=2))
        assert isinstance(following, Accepted)
        assert following != first
        assert len(simulator.got) == 2

    async def test_what_goes_alone_can_be_repeated_though_it_was_called_among_others(
        self, gateway: ResendGateway, simulator: Simulator
    ) -> None:
        sent = message(alone=True)
        first, *_ = await together(gateway, [sent, message(), message()])
        assert await gateway.send(sent) == first
        assert len(simulator.got) == 3

    async def test_attachments_go_alone_for_a_batch_would_lose_them(
        self, gateway: ResendGateway, simulator: Simulator
    ) -> None:
        parts = {"replyTo": "help@shop.test", "attachments": [FILE]}
        outcomes = await together(gateway, [message(parts=parts), message()])
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        [with_file] = [got.document for got in simulator.got if "attachments" in got.document]
        assert with_file["reply_to"] == "help@shop.test"
        assert with_file["attachments"] == [
            {"filename": "invoice.pdf", "content": "JVBERi0=", "content_type": "application/pdf"}
        ]

    async def test_an_attachment_without_content_is_refused_without_a_call(
        self, gateway: ResendGateway, simulator: Simulator
    ) -> None:
        parts = {"attachments": [{"name": "a", "type": "text/plain", "url": "https://shop.test/a"}]}
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

    @pytest.mark.parametrize(
        ("status", "name", "words", "kind"),
        [
            (400, "validation_error", "We found an error with one or more fields.", Refused),
            (400, "validation_error", "API key is invalid", AccountFault),
            (401, "missing_api_key", "Missing API Key", AccountFault),
            (401, "restricted_api_key", "This API key is restricted to only send emails.", AccountFault),
            (403, "invalid_api_key", "API key is invalid.", AccountFault),
            (403, "validation_error", "The domain is not verified.", AccountFault),
            (404, "not_found", "The requested endpoint does not exist.", AccountFault),
            (405, "method_not_allowed", "Method is not allowed.", Refused),
            (409, "invalid_idempotent_request", "Same key, other payload.", Unknown),
            (409, "concurrent_idempotent_requests", "Same key, in progress.", Unknown),
            (422, "invalid_attachment", "Attachment must have content or path.", Refused),
            (422, "invalid_from_address", "Invalid from field.", AccountFault),
            (422, "missing_required_field", "The request body is missing fields.", Refused),
            (422, "validation_error", "Invalid `to` field.", Refused),
            (422, "validation_error", "Invalid `from` field.", AccountFault),
            (429, "daily_quota_exceeded", "You have reached your daily quota.", AccountFault),
            (429, "monthly_quota_exceeded", "You have reached your monthly quota.", AccountFault),
            (429, "rate_limit_exceeded", "Too many requests.", Deferred),
            (451, "security_error", "We may have found a security issue.", AccountFault),
            (500, "application_error", "An unexpected error occurred.", Deferred),
            (500, "internal_server_error", "An unexpected error occurred.", Deferred),
        ],
    )
    async def test_what_its_errors_mean(self, status: int, name: str, words: str, kind: type) -> None:
        body = json.dumps({"statusCode": status, "name": name, "message": words}).encode()
        assert isinstance(await self._outcome_of(http(status, body)), kind)

    async def _outcomes_of(self, said: dict[str, Any], count: int) -> list[Any]:
        """The outcomes of one batch that is answered with this."""

        async def batch(request: web.Request) -> web.Response:
            assert len(await request.json()) == count
            return web.json_response(said)

        async with (
            simulated([web.post("/emails/batch", batch)]) as url,
            closing(self.made(url)) as gateway,
        ):
            return await together(gateway, [message() for _ in range(count)])
