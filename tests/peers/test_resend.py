"""Resend's own client (PyPI `resend`) beside our gateway, both against our look-alike."""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
import resend
from resend.exceptions import ResendError

from adapters.providers.email.resend import ResendSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, Outcome, Refused
from entrypoints.simulator.email.resend import resend as look_alike
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.requests import seen
from tests.support.gathering import together

SENDER = "The Shop <shop@shop.test>"
HEADERS = ("Idempotency-Key", "x-batch-validation")


@pytest.fixture(autouse=True)
def client() -> Iterator[None]:
    """It is set up by values of its module."""
    before = resend.api_key, resend.api_url
    resend.api_key = "re_key"
    yield
    resend.api_key, resend.api_url = before


async def ours(url: str, messages: list[OutboundMessage]) -> list[Outcome]:
    settings = ResendSettings(url=url, key=Secret("re_key"), sender=SENDER, reply_to="help@shop.test")
    async with closing(settings.gateway(CONTEXT)) as gateway:
        return await together(gateway, messages)


def params(sent: OutboundMessage, **more: Any) -> resend.Emails.SendParams:
    return {
        "from": SENDER,
        "to": [f"Ada <{sent.address}>"],
        "reply_to": "help@shop.test",
        "subject": "Grüße",
        "text": "Thank you. 谢谢",
        "html": "<p>Thank you.</p>",
        "tags": [
            {"name": "posthorn_delivery", "value": str(sent.delivery)},
            {"name": "posthorn_attempt", "value": "1"},
        ],
        **more,
    }


def sent_to(address: str, **more: Any) -> OutboundMessage:
    texts = {"subject": "Grüße", "body": "Thank you. 谢谢", "html_body": "<p>Thank you.</p>"}
    return message(address, name="Ada", **texts, **more)


async def test_both_send_the_same_batch_and_read_what_became_of_each() -> None:
    messages = [sent_to("ada@shop.test"), sent_to("refuse@shop.test"), sent_to("bob@shop.test")]
    key = sha256("\n".join(f"{each.delivery}:1" for each in messages).encode()).hexdigest()
    async with seen(look_alike(Simulator(ids=IDS)), *HEADERS) as (url, got):
        resend.api_url = url
        outcomes = await ours(url, messages)
        theirs = await asyncio.to_thread(
            resend.Batch.send,
            [params(each) for each in messages],
            {"idempotency_key": key, "batch_validation": "permissive"},
        )
    assert got[0] == got[1]
    assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Accepted]
    # the key is the same, so the look-alike sends nothing again and answers the same
    assert [each["id"] for each in theirs["data"]] == [
        each.reference for each in outcomes if isinstance(each, Accepted)
    ]
    assert [each["index"] for each in theirs["errors"]] == [1]


async def test_both_send_the_same_attachment() -> None:
    file = {"name": "invoice.pdf", "type": "application/pdf", "content": "JVBERi0="}
    sent = sent_to("ada@shop.test", parts={"attachments": [file]})
    attachments = [
        {"filename": "invoice.pdf", "content": "JVBERi0=", "content_type": "application/pdf"},
    ]
    async with seen(look_alike(Simulator(ids=IDS)), *HEADERS) as (url, got):
        resend.api_url = url
        [outcome] = await ours(url, [sent])
        theirs = await asyncio.to_thread(
            resend.Emails.send,
            params(sent, attachments=attachments),
            {"idempotency_key": sha256(f"{sent.delivery}:1".encode()).hexdigest()},
        )
    assert got[0] == got[1]
    assert outcome == Accepted(theirs["id"])


async def test_it_reads_an_error_of_our_look_alike() -> None:
    async with seen(look_alike(Simulator(ids=IDS))) as (url, _):
        resend.api_url = url
        with pytest.raises(ResendError) as raised:
            await asyncio.to_thread(resend.Emails.send, params(sent_to("refuse@shop.test")))
    assert (raised.value.code, raised.value.error_type) == (422, "validation_error")
