"""Twilio's own client (PyPI `twilio`) beside our gateway, both against our look-alike."""

import asyncio

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from adapters.providers.sms.twilio import TwilioSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, Refused
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.sms.twilio import twilio
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.requests import Redirected, seen

ACCOUNT, TOKEN = "AC0123456789abcdef0123456789abcdef", "auth-token"
CALLBACK = "https://shop.test/callbacks/twilio"


def client(url: str) -> Client:
    http = TwilioHttpClient()
    http.session.mount("https://", Redirected(url))
    return Client(ACCOUNT, TOKEN, http_client=http)


@pytest.mark.parametrize(
    "sender",
    [
        {"sender": "+15005550006"},
        {"sender": "SHOP"},
        {"service": "MG00112233445566778899aabbccddeeff"},
    ],
)
async def test_both_send_the_same_and_read_the_answer(sender: dict[str, str]) -> None:
    sent = message("+447700900123", body="5 € & more: grüße 谢谢 🎉")
    settings = {"account": ACCOUNT, "token": Secret(TOKEN), "callback": CALLBACK, **sender}
    async with seen(twilio(Simulator(ids=IDS))) as (url, got):
        async with closing(TwilioSettings(url=url, **settings).gateway(CONTEXT)) as gateway:
            ours = await gateway.send(sent)
        theirs = await asyncio.to_thread(
            client(url).messages.create,
            to="+447700900123",
            body="5 € & more: grüße 谢谢 🎉",
            status_callback=f"{CALLBACK}?posthorn_delivery={sent.delivery}&posthorn_attempt=1",
            **{
                {"sender": "from_", "service": "messaging_service_sid"}[name]: value
                for name, value in sender.items()
            },
        )
    assert got[0] == got[1]
    assert isinstance(ours, Accepted)
    assert theirs.sid.startswith("SM")
    assert theirs.status in {"queued", "accepted"}
    assert theirs.to == "+447700900123"


async def test_it_reads_a_refusal_of_our_look_alike() -> None:
    async with seen(twilio(Simulator(ids=IDS))) as (url, _):
        with pytest.raises(TwilioRestException) as raised:
            await asyncio.to_thread(
                client(url).messages.create, to="+447700999100", from_="+15005550006", body="Hello"
            )
        settings = TwilioSettings(url=url, account=ACCOUNT, token=Secret(TOKEN), sender="+15005550006")
        async with closing(settings.gateway(CONTEXT)) as gateway:
            assert isinstance(await gateway.send(message("+447700999100")), Refused)
    assert (raised.value.status, raised.value.code) == (400, 21211)
