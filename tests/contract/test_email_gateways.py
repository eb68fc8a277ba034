"""The gateways of e-mail providers with an HTTP API; their other side is our look-alike of each."""

from datetime import timedelta
from typing import Any

from aiohttp import web

from adapters.providers.email.postmark import PostmarkGateway, PostmarkSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Refused
from entrypoints.simulator.email.postmark import postmark
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, simulated
from tests.contract.lookup import LookupContract
from tests.contract.test_gateway import CONTEXT
from tests.support.gathering import together

SHORT = timedelta(seconds=1)


class TestPostmark(LookupContract, HttpGatewayContract):
    kind = "postmark"

    def made(self, url: str, **changes: Any) -> PostmarkGateway:
        known: dict[str, Any] = {"token": Secret("server-token"), "timeout": SHORT}
        return PostmarkSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return postmark(simulator)

    async def test_a_batch_answers_for_each_message(self, gateway: PostmarkGateway) -> None:
        addresses = ["ada@shop.test", "refuse@shop.test", "defer@shop.test", "bob@shop.test"]
        outcomes = await together(gateway, [message(address) for address in addresses])
        assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Deferred, Accepted]

    async def test_a_wrong_token_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with (
            simulated(self.routes(simulator)) as url,
            closing(self.made(url, token=Secret("bad"))) as gateway,
        ):
            assert isinstance(await gateway.send(message()), AccountFault)

    async def test_attachments_and_where_answers_go(
        self, gateway: PostmarkGateway, simulator: Simulator
    ) -> None:
        file = {"name": "Rechnung März.pdf", "type": "application/pdf", "content": "JVBERi0="}
        await gateway.send(message(parts={"replyTo": "help@shop.test", "attachments": [file]}))
        document = simulator.got[0].document
        assert document["ReplyTo"] == "help@shop.test"
        assert document["Attachments"] == [
            {"Name": "Rechnung März.pdf", "Content": "JVBERi0=", "ContentType": "application/pdf"}
        ]

    async def test_an_attachment_without_content_is_refused_without_a_call(
        self, gateway: PostmarkGateway, simulator: Simulator
    ) -> None:
        parts = {"attachments": [{"name": "a", "type": "text/plain", "url": "https://shop.test/a"}]}
        outcome = await gateway.send(message(parts=parts))
        assert isinstance(outcome, Refused)
        assert not outcome.examined
        assert simulator.got == []
