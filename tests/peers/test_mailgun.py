"""Mailgun's own client (PyPI `mailgun`) beside our gateway, both against our look-alike.

What the client sends as a form is compared field by field; of a form with files, what the look-alike reads.
"""

import asyncio
from typing import Any

import pytest
from mailgun.client import Client

from adapters.providers.email.mailgun import MailgunSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, Outcome
from entrypoints.simulator.email.mailgun import mailgun
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing, simulated
from tests.contract.test_gateway import CONTEXT
from tests.peers.requests import seen

DOMAIN, SENDER = "mail.shop.test", "The Shop <shop@shop.test>"


async def ours(url: str, sent: OutboundMessage) -> Outcome:
    settings = MailgunSettings(
        url=url, domain=DOMAIN, key=Secret("key-1"), sender=SENDER, reply_to="help@shop.test"
    )
    async with closing(settings.gateway(CONTEXT)) as gateway:
        return await gateway.send(sent)


async def theirs(url: str, data: dict[str, str], **more: Any) -> Any:
    def create() -> Any:
        with Client(auth=("api", "key-1"), api_url=url) as client:
            return client.messages.create(data=data, domain=DOMAIN, **more)

    return await asyncio.to_thread(create)


def fields(sent: OutboundMessage) -> dict[str, str]:
    return {
        "from": SENDER,
        "to": "Ada <ada@shop.test>",
        "subject": "Grüße",
        "text": "Thank you. 谢谢 & more",
        "html": "<p>Thank you.</p>",
        "h:Reply-To": "help@shop.test",
        "h:Message-Id": f"<{sent.delivery}@{DOMAIN}>",
        "v:posthorn_delivery": str(sent.delivery),
        "v:posthorn_attempt": "1",
    }


def sent_to_ada(**more: Any) -> OutboundMessage:
    texts = {"subject": "Grüße", "body": "Thank you. 谢谢 & more", "html_body": "<p>Thank you.</p>"}
    return message("ada@shop.test", name="Ada", **texts, **more)


async def test_both_send_the_same_and_read_the_answer() -> None:
    sent = sent_to_ada()
    async with seen(mailgun(Simulator(ids=IDS))) as (url, got):
        outcome = await ours(url, sent)
        answered = await theirs(url, fields(sent))
    assert got[0] == got[1]
    assert answered.status_code == 200
    assert outcome == Accepted(answered.json()["id"].strip("<>"))


async def test_both_send_the_same_attachment() -> None:
    file = {"name": "Rechnung März.pdf", "type": "application/pdf", "content": "JVBERi0="}
    sent = sent_to_ada(parts={"attachments": [file]})
    simulator = Simulator(ids=IDS)
    async with simulated(mailgun(simulator)) as url:
        assert isinstance(await ours(url, sent), Accepted)
        files = [("attachment", ("Rechnung März.pdf", b"%PDF-", "application/pdf"))]
        await theirs(url, fields(sent), files=files)
    assert simulator.got[0] == simulator.got[1]


@pytest.mark.parametrize(("address", "status"), [("refuse@shop.test", 400), ("throttle@shop.test", 429)])
async def test_it_reads_an_error_of_our_look_alike(address: str, status: int) -> None:
    async with seen(mailgun(Simulator(ids=IDS))) as (url, _):
        answered = await theirs(url, {**fields(sent_to_ada()), "to": address})
    assert answered.status_code == status
    assert "message" in answered.json()
