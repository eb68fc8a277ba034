"""What we send to SendGrid, Postmark, Twilio and Vonage against their published descriptions.

Of the others: FCM's is held in test_fcm.py, Amazon's are botocore's (test_ses.py, test_sns.py).  Resend,
Mailgun and OneSignal publish none in a package registry: their own clients judge.  APNs has none.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from openapi_core.exceptions import OpenAPIError

from adapters.providers.email.postmark import PostmarkSettings
from adapters.providers.email.sendgrid import SendGridSettings
from adapters.providers.kit.settings import ProviderSettings
from adapters.providers.sms.twilio import TwilioSettings
from adapters.providers.sms.vonage import VonageSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.descriptions import Requests, description
from tests.support.gathering import together

FILE = {"name": "bill.pdf", "type": "application/pdf", "content": "JVBERg=="}
EVERYTHING = {"attachments": [FILE], "replyTo": "help@shop.test"}
EMAILS = [
    message(html_body="<p>Grüße 🎉</p>", name="Lovelace, Ada", parts=EVERYTHING),
    message("bob@shop.test", name=None, body=None, html_body="<p>Hi</p>"),
    message("eve@shop.test", html_body=None, parts={}),
]
TEXTS = [message("+447700900123", body=text) for text in ("Hello", "5 € & more: grüße 谢谢 🎉", "x" * 900)]
SENDER = {"sender": "The Shop <shop@shop.test>", "reply_to": "help@shop.test"}
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
POSTMARK = {
    # The description is of 2014: what Postmark's documentation has had since then.
    "SendEmailRequest": {
        "properties": {
            "Metadata": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 80}},
            "MessageStream": {"type": "string"},
        }
    }
}
VONAGE = {
    "baseMessageType": {"required": ["to", "from", "message_type", "channel"]}
}  # no `message` in version 1


async def sent(settings: ProviderSettings, messages: Sequence[OutboundMessage]) -> list[Any]:
    """What the gateway sends for these messages."""
    requests = Requests()
    async with requests.serving() as url:
        known = msgspec.structs.replace(settings, url=url)  # type: ignore[call-arg]
        async with closing(known.gateway(CONTEXT)) as gateway:
            await together(gateway, messages)
    return requests.got


async def holds(described: Any, settings: ProviderSettings, messages: Sequence[OutboundMessage]) -> None:
    """Every request is valid, and what is none is not."""
    got = await sent(settings, messages)
    assert got
    for request in got:
        described.validate_request(request)
    for spoiled in (b"{}", b"", b'{"nonsense": 1}', b"[1]"):
        got[0].body = spoiled
        with pytest.raises(OpenAPIError):
            described.validate_request(got[0])


async def test_sendgrid() -> None:
    described = description("sendgrid.com.json", "/mail/send", at="/v3/mail/send")
    await holds(described, SendGridSettings(key=Secret("SG.key"), **SENDER), EMAILS)


async def test_postmark() -> None:
    described = description("postmarkapp.com/server.json", "/email/batch", errata=POSTMARK)
    await holds(described, PostmarkSettings(token=Secret("token"), **SENDER), EMAILS)


@pytest.mark.parametrize(
    "sender", [{"sender": "+15005550006"}, {"service": "MG00112233445566778899aabbccddeeff"}]
)
async def test_twilio(sender: dict[str, str]) -> None:
    path = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
    described = description("twilio.com/api.json", path)
    settings = TwilioSettings(
        account=ACCOUNT, token=Secret("t"), callback="https://shop.test/twilio", **sender
    )
    await holds(described, settings, TEXTS)


async def test_vonage() -> None:
    described = description("nexmo.com/messages-olympus.json", "/", at="/v1/messages", errata=VONAGE)
    await holds(described, VonageSettings(key="k", secret=Secret("s"), sender="Shop"), TEXTS)
