"""SendGrid's own client (PyPI `sendgrid`) beside our gateway, both against our look-alike."""

import asyncio
from typing import Any

import pytest
from python_http_client.exceptions import BadRequestsError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Attachment, Category, Content, CustomArg, Email, Mail, Personalization, To

from adapters.providers.email.sendgrid import SendGridSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, Outcome
from entrypoints.simulator.email.sendgrid import sendgrid
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.requests import Seen, seen
from tests.support.gathering import together

FILE = {"name": "bill.pdf", "type": "application/pdf", "content": "JVBERg=="}


def document(*messages: OutboundMessage) -> Any:
    """The document of their library."""
    first = messages[0]
    mail = Mail()
    mail.from_email = Email("shop@shop.test", "The Shop")
    mail.subject = first.subject
    mail.reply_to = Email("help@shop.test")
    mail.add_content(Content("text/plain", first.body))
    if first.html_body:
        mail.add_content(Content("text/html", first.html_body))
    for file in first.parts.get("attachments", ()):
        mail.add_attachment(Attachment(file["content"], file["name"], file["type"]))
    mail.add_category(Category(first.type))
    for place, each in enumerate(messages):
        personalization = Personalization()
        personalization.add_to(To(each.address, each.name))
        personalization.add_custom_arg(CustomArg("posthorn_delivery", str(each.delivery)))
        personalization.add_custom_arg(CustomArg("posthorn_attempt", str(each.attempt)))
        mail.add_personalization(personalization, place)
    return mail.get()


async def both(*messages: OutboundMessage) -> tuple[Seen, Seen, list[Outcome], Any]:
    """The requests of our gateway and of their client, and what each reads in the answer."""
    settings = {"sender": "The Shop <shop@shop.test>", "reply_to": "help@shop.test", "key": Secret("SG.key")}
    async with seen(sendgrid(Simulator(ids=IDS))) as (url, got):
        async with closing(SendGridSettings(url=url, **settings).gateway(CONTEXT)) as gateway:
            ours = await together(gateway, messages)
        client = SendGridAPIClient("SG.key", host=url)
        answer = await asyncio.to_thread(client.send, document(*messages))
    first, second = got
    return first, second, ours, answer


async def test_both_send_the_same_message_and_read_the_answer() -> None:
    sent = message(html_body="<p>Grüße 🎉</p>", name="Lovelace, Ada", parts={"attachments": [FILE]})
    ours, theirs, outcomes, answer = await both(sent)
    assert ours == theirs
    assert isinstance(outcomes[0], Accepted)
    assert (answer.status_code, bool(answer.headers["X-Message-Id"])) == (202, True)


async def test_both_send_the_same_for_several_recipients() -> None:
    ours, theirs, outcomes, _ = await both(message("ada@shop.test"), message("bob@shop.test", name=None))
    assert ours == theirs
    assert all(isinstance(each, Accepted) for each in outcomes)


async def test_it_reads_a_refusal_of_our_look_alike() -> None:
    async with seen(sendgrid(Simulator(ids=IDS))) as (url, _):
        client = SendGridAPIClient("SG.key", host=url)
        with pytest.raises(BadRequestsError) as raised:
            await asyncio.to_thread(client.send, document(message("refuse@shop.test")))
    assert raised.value.to_dict["errors"][0]["field"] == "personalizations.0.to.0.email"
