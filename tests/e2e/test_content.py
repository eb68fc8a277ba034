"""What an e-mail has beside its text reaches the provider: sender, Reply-To, preheader, styles, a file."""

import base64
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from aiohttp import web

from entrypoints.simulator.email.postmark import postmark
from entrypoints.simulator.kit import Simulator
from tests.contract.http_gateway import simulated
from tests.support.accepting import IDS
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

SETTINGS = """
[providers.post]
kind = "postmark"
url = "{url}"
token = "any"

[senders.news]
address = "news@shop.test"
name = "The Shop"

[attachments]
networks = ["127.0.0.0/8"]
"""
TEMPLATE: dict[str, Any] = {
    "id": "invoice",
    "name": "Invoice",
    "channelType": "email",
    "subjectTemplate": "Invoice {{ number }}",
    "htmlBodyTemplate": "<style>p{margin:0}</style>{% if number %}<p>Invoice {{ number }}</p>{% endif %}",
    "parts": {
        "sender": "news",
        "replyTo": "help+{{ number }}@shop.test",
        "preheader": "{{ number }} is paid",
        "attachments": [
            {"name": "{{ number }}.pdf", "type": "application/pdf", "url": "{{ files }}/{{ number }}.pdf"}
        ],
    },
    "variables": {"number": {}, "files": {}},
}


class Files:
    """The shop's web server; it has a file once `there` says so."""

    def __init__(self) -> None:
        self.there, self.asked = False, 0

    async def get(self, request: web.Request) -> web.Response:
        self.asked += 1
        if not self.there:
            raise web.HTTPNotFound
        return web.Response(body=f"%PDF {request.path}".encode())


class Running(NamedTuple):
    """A shop, its files, and the provider's look-alike."""

    shop: Shop
    files: Files
    files_url: str
    simulator: Simulator


@pytest_asyncio.fixture(loop_scope="function")
async def running(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Running]:
    simulator, files = Simulator(ids=IDS), Files()
    async with (
        simulated(postmark(simulator)) as url,
        simulated([web.get("/{tail:.*}", files.get)]) as files_url,
        opened_shop(sandbox, postgres_server, rabbitmq_server, toml=SETTINGS.replace("{url}", url)) as shop,
    ):
        for role in ("api", "worker"):
            await shop.start(role)
        yield Running(shop, files, files_url, simulator)


@pytest.mark.timeout(120)
async def test_an_invoice_with_its_file(running: Running) -> None:
    shop, files, simulator = running.shop, running.files, running.simulator
    etag = (await shop.call("GET", "/api/channels/email")).headers["ETag"]
    changed = await shop.call(
        "PUT", "/api/channels/email", {"providers": ["post"]}, headers={"If-Match": etag}
    )
    assert changed.status == 200, changed
    made = await shop.call("POST", "/api/templates", TEMPLATE)
    assert made.status == 201, made

    body = {
        "notificationType": "invoice",
        "templateId": "invoice",
        "recipients": [{"email": "ada@shop.test"}],
        "data": {"number": "A-7", "files": running.files_url},
    }
    sent = (await shop.call("POST", "/api/notifications", body)).id
    await eventually(lambda: files.asked > 0)

    async def explained() -> None:
        [delivery] = await shop.listed(sent, "deliveries")
        assert delivery["failureReason"] == "127.0.0.1: an attachment was answered with 404", delivery

    await eventually(explained)
    assert simulator.got == []
    files.there = True
    await shop.status(sent, "completed", timeout=60)

    [got] = simulator.got
    mail = got.document
    assert mail["From"] == "The Shop <news@shop.test>"
    assert (mail["ReplyTo"], mail["Subject"]) == ("help+A-7@shop.test", "Invoice A-7")
    assert mail["HtmlBody"].startswith('<div style="display:none')
    assert ">A-7 is paid&#847;" in mail["HtmlBody"]
    assert mail["HtmlBody"].endswith('<p style="margin: 0;">Invoice A-7</p>')
    pdf = base64.b64encode(b"%PDF /A-7.pdf").decode()
    assert mail["Attachments"] == [{"Name": "A-7.pdf", "Content": pdf, "ContentType": "application/pdf"}]
