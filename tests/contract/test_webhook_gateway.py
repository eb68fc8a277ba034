"""The gateway of webhooks; its other side is our look-alike of endpoints."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.providers.webhook.webhook import DOCUMENT_MAX, WebhookGateway, WebhookSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.webhook.webhook import SECRET, endpoint, webhook
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, served
from tests.contract.test_gateway import CONTEXT
from tests.support.answering import Said, answering

HERE = ("127.0.0.0/8", "::1/128")
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()


class Named:
    """The gateway, for addresses that become endpoints at a server."""

    def __init__(self, gateway: WebhookGateway, server: str) -> None:
        self._gateway = gateway
        self._server = server

    async def send(self, message: OutboundMessage) -> Outcome:
        address = endpoint(self._server, message.address)
        return await self._gateway.send(msgspec.structs.replace(message, address=address))

    async def aclose(self) -> None:
        await self._gateway.aclose()


def made(**changes: Any) -> WebhookGateway:
    known: dict[str, Any] = {"secret": Secret(SECRET), "networks": HERE, "timeout": timedelta(seconds=1)}
    return WebhookSettings(**(known | changes)).gateway(CONTEXT)


class TestWebhook(HttpGatewayContract):
    kind = "webhook"
    unreadable = Accepted  # the status says everything
    of_recipients = True

    def made(self, url: str, **changes: Any) -> Named:
        return Named(made(**changes), url)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return webhook(simulator)

    async def test_a_receiver_tells_a_repetition_by_its_id(
        self, gateway: WebhookGateway, simulator: Simulator
    ) -> None:
        sent = message()
        first = await gateway.send(sent)
        assert await gateway.send(msgspec.structs.replace(sent, attempt=2)) == first
        assert len(simulator.got) == 1

    async def test_a_document_is_posted_as_it_is(self, gateway: WebhookGateway, simulator: Simulator) -> None:
        document = {"order": 7, "lines": [{"sku": "x", "price": "9.90"}], "note": "谢谢"}
        await gateway.send(message(parts={"document": document}))
        assert [got.document for got in simulator.got] == [document]

    async def test_a_number_keeps_its_digits(self, gateway: WebhookGateway, simulator: Simulator) -> None:
        await gateway.send(message(parts={"document": {"total": Decimal("9.90")}}))
        assert [got.document for got in simulator.got] == [{"total": 9.9}]

    async def test_without_a_document_the_texts_are_posted(
        self, gateway: WebhookGateway, simulator: Simulator
    ) -> None:
        await gateway.send(message(body=None))
        [got] = simulator.got
        assert got.document["type"] == "order.created"
        assert got.document["data"] == {"subject": "Your order"}
        assert got.document["timestamp"].endswith("+00:00")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, Accepted),
        (400, Refused),
        (404, Deferred),
        (410, Refused),
        (418, Refused),
        (422, Refused),
        (507, Unknown),
    ],
)
async def test_what_statuses_mean(status: int, kind: type) -> None:
    async with answering(Said(status)) as server, closing(made()) as gateway:
        assert isinstance(await gateway.send(message(server.url)), kind)


async def test_an_endpoint_that_is_gone_is_told_apart() -> None:
    async with answering(Said(410)) as server, closing(made()) as gateway:
        assert await gateway.send(message(server.url)) == Refused("410 the endpoint is gone", gone=True)


async def test_nothing_that_an_endpoint_says_is_kept() -> None:
    async with answering(Said(503, {"error": "delivery failed"})) as server, closing(made()) as gateway:
        assert await gateway.send(message(server.url)) == Deferred("503")


async def test_an_endpoint_has_secrets_of_its_own_and_each_signs() -> None:
    async with answering(Said(204)) as server, closing(made(secret=None)) as gateway:
        own = msgspec.json.encode({"url": server.url, "secrets": [OTHER, SECRET]}).decode()
        assert isinstance(await gateway.send(message(own)), Accepted)
        outcome = await gateway.send(message(server.url))  # without one nothing goes out
    assert isinstance(outcome, AccountFault)
    assert not outcome.certain
    [asked] = server.asked
    assert len(_header(asked.headers, "webhook-signature").split()) == 2


async def test_an_asymmetric_key_signs_what_its_public_key_verifies() -> None:
    key = Ed25519PrivateKey.generate()
    secret = Secret("whsk_" + base64.b64encode(key.private_bytes_raw()).decode())
    async with answering(Said(204)) as server, closing(made(secret=secret)) as gateway:
        await gateway.send(message(server.url))
    [asked] = server.asked
    version, _, signature = _header(asked.headers, "webhook-signature").partition(",")
    said = ".".join(_header(asked.headers, name) for name in ("webhook-id", "webhook-timestamp"))
    assert version == "v1a"
    key.public_key().verify(base64.b64decode(signature), f"{said}.".encode() + asked.body)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "shop",
        "ftp://shop.test/",
        "https://",
        "https://user@shop.test/",
        "https://shop.test:99999/",
        "https://shop.test/\n",
        "https://shop.test/" + "x" * 2_000,
        "{}",
        '{"url": "https://shop.test/", "secrets": ["whsec_x"]}',
        '{"url": "javascript:alert(1)"}',
    ],
)
async def test_what_is_no_endpoint_is_refused_without_a_call(address: str) -> None:
    async with closing(made()) as gateway:
        outcome = await gateway.send(message(address))
    assert isinstance(outcome, Refused)
    assert not outcome.examined


async def test_an_endpoint_within_the_house_is_not_called() -> None:
    async with answering(Said(204)) as server, closing(made(networks=())) as gateway:
        outcome = await gateway.send(message(server.url))
    assert isinstance(outcome, Refused)
    assert server.asked == []


@pytest.mark.parametrize(
    "parts", [{"document": "x" * DOCUMENT_MAX}, {"preheader": "of an e-mail"}], ids=["too large", "no parts"]
)
async def test_what_cannot_be_sent_is_refused_without_a_call(parts: dict[str, Any]) -> None:
    async with answering(Said(204)) as server, closing(made()) as gateway:
        outcome = await gateway.send(message(server.url, parts=parts))
    assert isinstance(outcome, Refused)
    assert server.asked == []


async def test_silence_of_an_endpoint_says_nothing_of_others() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(silent) as port, closing(made(per_host=2, timeout=timedelta(seconds=1.5))) as gateway:
        calls = [gateway.send(message(f"http://127.0.0.1:{port}/")) for _ in range(4)]
        outcomes = await asyncio.gather(*calls)
    assert [type(each) for each in outcomes] == [Unknown, Unknown, NotCalled, NotCalled]
    assert all(each.of_recipient for each in outcomes if isinstance(each, Unknown))


def test_settings_that_do_not_go_together() -> None:
    settings = WebhookSettings(
        url="https://shop.test", secret_before=Secret("whsec_short"), networks=("not one",)
    )
    assert [name for name, _ in settings.faults()] == ["url", "secret_before", "secret_before", "networks"]


def _header(headers: Mapping[str, str], wanted: str) -> str:
    return next(value for name, value in headers.items() if name.lower() == wanted)
