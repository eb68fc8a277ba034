"""Amazon SES; the other side is our look-alike.

What judges us and it: botocore, Amazon's own client, in tests/peers (its requests and signatures are equal to
ours, and it reads the look-alike's answers).  The error answers are those of the API reference.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.providers.email.ses import SesGateway, SesSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Refused, Unknown
from entrypoints.simulator.email.ses import ses
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, http, simulated
from tests.contract.test_gateway import CONTEXT
from tests.support.gathering import together

FILE = {"name": "bill.pdf", "type": "application/pdf", "content": "JVBERg=="}


def entry(status: str, **more: str) -> bytes:
    """A bulk answer with one bad entry and one good one."""
    entries = [{"Status": status, **more}, {"Status": "SUCCESS", "MessageId": "2"}]
    return json.dumps({"BulkEmailEntryResults": entries}).encode()


class TestSes(HttpGatewayContract):
    kind = "ses"

    def made(self, url: str, **changes: Any) -> SesGateway:
        known: dict[str, Any] = {
            "key_id": "AKIDEXAMPLE",
            "secret": Secret("secret"),
            "timeout": timedelta(seconds=1),
            "pool": 2,
        }
        return SesSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return ses(simulator)

    async def test_a_bulk_call_answers_for_each_message(
        self, gateway: SesGateway, simulator: Simulator
    ) -> None:
        addresses = ["ada@shop.test", "refuse@shop.test", "defer@shop.test", "bob@shop.test"]
        sent = [message(each, body=f"Dear {{{{name}}}} & {each}") for each in addresses]
        outcomes = await together(gateway, sent)
        assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Deferred, Accepted]
        bodies = [got.document["Content"]["Simple"]["Body"]["Text"]["Data"] for got in simulator.got]
        assert bodies == [sent[0].body, sent[3].body]

    async def test_what_belongs_to_a_call_goes_with_its_own_messages(
        self, gateway: SesGateway, simulator: Simulator
    ) -> None:
        parts = [{}, {"attachments": [FILE]}, {"attachments": [FILE]}, {"replyTo": "Ada <a@shop.test>"}, {}]
        outcomes = await together(gateway, [message(f"m{n}@shop.test", parts=p) for n, p in enumerate(parts)])
        assert all(isinstance(each, Accepted) for each in outcomes)
        got = {each.address: each.document for each in simulator.got}
        assert got["m3@shop.test"]["ReplyToAddresses"] == ["Ada <a@shop.test>"]
        for address in ("m1@shop.test", "m2@shop.test"):
            assert got[address]["Content"]["Simple"]["Attachments"] == [
                {"FileName": "bill.pdf", "ContentType": "application/pdf", "RawContent": "JVBERg=="}
            ]

    @pytest.mark.parametrize(
        ("status", "name", "words", "kind"),
        [
            (400, "BadRequestException", "Invalid email address.", Refused),
            (400, "MessageRejected", "Message body contains a virus", Refused),
            (400, "MessageRejected", "Email address is not verified. The following …", AccountFault),
            (400, "MailFromDomainNotVerifiedException", "", AccountFault),
            (400, "AccountSuspendedException", "", AccountFault),
            (400, "SendingPausedException", "", AccountFault),
            (400, "LimitExceededException", "", AccountFault),
            (404, "NotFoundException", "Configuration set does not exist.", AccountFault),
            (403, "AccessDeniedException", "User is not authorized to perform", AccountFault),
            (403, "ExpiredTokenException", "The security token included is expired", AccountFault),
            (403, "InvalidSignatureException", "Signature expired: 20261127T…", AccountFault),
            (403, "SignatureDoesNotMatch", "Signature not yet current", AccountFault),
            (400, "RequestExpired", "", AccountFault),
            (400, "ThrottlingException", "Rate exceeded", Deferred),
            (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Deferred),
            (500, "InternalFailure", "", Deferred),
            (503, "ServiceUnavailable", "", Deferred),
            (504, "", "", Unknown),
        ],
    )
    async def test_published_errors(self, status: int, name: str, words: str, kind: type) -> None:
        in_header = http(
            status, json.dumps({"message": words}).encode(), f"x-amzn-ErrorType: {name}:http://x"
        )
        in_body = http(status, json.dumps({"__type": f"com.amazon#{name}", "Message": words}).encode())
        assert isinstance(await self._outcome_of(in_header), kind)
        assert isinstance(await self._outcome_of(in_body), kind)

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("MESSAGE_REJECTED", Refused),
            ("INVALID_PARAMETER", Refused),
            ("MAIL_FROM_DOMAIN_NOT_VERIFIED", AccountFault),
            ("CONFIGURATION_SET_NOT_FOUND", AccountFault),
            ("TEMPLATE_NOT_FOUND", AccountFault),
            ("ACCOUNT_SUSPENDED", AccountFault),
            ("ACCOUNT_SENDING_PAUSED", AccountFault),
            ("CONFIGURATION_SET_SENDING_PAUSED", AccountFault),
            ("INVALID_SENDING_POOL_NAME", AccountFault),
            ("ACCOUNT_THROTTLED", Deferred),
            ("ACCOUNT_DAILY_QUOTA_EXCEEDED", Deferred),
            ("TRANSIENT_FAILURE", Deferred),
            ("FAILED", Deferred),
            ("SOMETHING_NEW", Deferred),
            ("SUCCESS", Unknown),  # without an id
        ],
    )
    async def test_published_statuses_of_bulk_entries(self, status: str, kind: type) -> None:
        async def say(_: web.Request) -> web.Response:
            return web.Response(body=entry(status))

        routes = [web.post("/v2/email/outbound-bulk-emails", say)]
        async with simulated(routes) as url, closing(self.made(url)) as gateway:
            outcomes = await together(gateway, [message(), message()])
        assert isinstance(outcomes[0], kind)
        assert outcomes[1] == Accepted("2")

    async def test_an_unverified_address_may_be_this_recipients(self) -> None:
        said = json.dumps({"message": "Email address is not verified."}).encode()
        outcome = await self._outcome_of(http(400, said, "x-amzn-ErrorType: MessageRejected"))
        assert isinstance(outcome, AccountFault)
        assert not outcome.certain

    async def test_what_is_too_long_for_a_bulk_call_goes_alone(
        self, gateway: SesGateway, simulator: Simulator
    ) -> None:
        sent = [message(body="x" * 300_000), message(body="y" * 300_000), message(), message()]
        outcomes = await together(gateway, sent)
        assert all(isinstance(each, Accepted) for each in outcomes)
        assert sum("EmailTags" in got.document for got in simulator.got) == 2

    async def test_a_used_up_quota_is_waited_for(self) -> None:
        said = json.dumps({"message": "Daily message quota exceeded."}).encode()
        outcome = await self._outcome_of(http(429, said, "x-amzn-ErrorType: TooManyRequestsException"))
        assert isinstance(outcome, Deferred)
        assert outcome.retry_after == timedelta(hours=1)

    @pytest.mark.parametrize("address", ["jürgen@shop.test", "ada@", f"ada@{'x' * 64}.test"])
    async def test_addresses_that_ses_cannot_take_are_refused_before_a_call(
        self, gateway: SesGateway, simulator: Simulator, address: str
    ) -> None:
        outcome = await gateway.send(message(address))
        assert isinstance(outcome, Refused)
        assert not outcome.examined
        assert simulator.got == []

    async def test_domains_and_names_go_in_ascii(self, gateway: SesGateway, simulator: Simulator) -> None:
        await gateway.send(message("ada@bücher.test", name="Jürgen"))
        assert simulator.got[0].document["Destination"]["ToAddresses"] == [
            "=?utf-8?q?J=C3=BCrgen?= <ada@xn--bcher-kva.test>"
        ]

    async def test_a_wrong_key_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with simulated(self.routes(simulator)) as url, closing(self.made(url, key_id="bad")) as gateway:
            assert isinstance(await gateway.send(message()), AccountFault)
