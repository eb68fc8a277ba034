"""Vonage's own client (PyPI `vonage-messages`) beside our gateway, both against our look-alike."""

import asyncio

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from vonage_http_client import Auth, HttpClient
from vonage_http_client.errors import HttpRequestError
from vonage_messages import Messages
from vonage_messages.models import Sms

from adapters.providers.sms.vonage import VonageSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, Refused
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.sms.vonage import vonage
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.requests import Redirected, Seen, seen

APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
TEXT = "5 € & more: grüße 谢谢 🎉"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def client(url: str, auth: Auth) -> Messages:
    http = HttpClient(auth)
    http._session.mount("https://", Redirected(url))
    messages = Messages(http)
    if auth._application_id is None:
        messages._auth_type = "basic"
    return messages


@pytest.mark.parametrize("signed", [True, False], ids=["as an application", "with key and secret"])
async def test_both_send_the_same_and_read_the_answer(signed: bool) -> None:
    sent = message("+447700900123", body=TEXT, attempt=2)
    if signed:
        known, auth = (
            {"application": APPLICATION, "private_key": Secret(PEM)},
            Auth(application_id=APPLICATION, private_key=PEM),
        )
    else:
        known, auth = (
            {"key": "abcd1234", "secret": Secret("s3cret")},
            Auth(api_key="abcd1234", api_secret="s3cret"),
        )
    settings = {**known, "sender": "447700900001", "callback": "https://shop.test/callbacks/vonage"}
    async with seen(vonage(Simulator(ids=IDS))) as (url, got):
        async with closing(VonageSettings(url=url, **settings).gateway(CONTEXT)) as gateway:
            ours = await gateway.send(sent)
        theirs = await asyncio.to_thread(
            client(url, auth).send,
            Sms(
                to="447700900123",
                from_="447700900001",
                text=TEXT,
                client_ref=f"{sent.delivery}:2",
                webhook_url="https://shop.test/callbacks/vonage",
                webhook_version="v1",
            ),
        )
    assert without_auth(got[0]) == without_auth(got[1])
    if signed:
        assert [claims(each) for each in got] == [claims(got[0])] * 2
    else:
        assert got[0].auth == got[1].auth
    assert isinstance(ours, Accepted)
    assert theirs.message_uuid


def without_auth(each: Seen) -> tuple[object, ...]:
    return each.method, each.path, each.kind, each.body


def claims(each: Seen) -> tuple[object, ...]:
    """What a token says, verified with the application's public key."""
    token = each.auth.removeprefix("Bearer ")
    said = jwt.decode(token, KEY.public_key(), algorithms=["RS256"])
    header = jwt.get_unverified_header(token)
    return header, sorted(said), said["application_id"], said["exp"] - said["iat"], len(said["jti"])


async def test_it_reads_a_refusal_of_our_look_alike() -> None:
    async with seen(vonage(Simulator(ids=IDS))) as (url, _):
        auth = Auth(api_key="abcd1234", api_secret="s3cret")
        with pytest.raises(HttpRequestError) as raised:
            await asyncio.to_thread(
                client(url, auth).send, Sms(to="447700999100", from_="SHOP", text="Hello")
            )
        settings = VonageSettings(url=url, key="abcd1234", secret=Secret("s3cret"), sender="SHOP")
        async with closing(settings.gateway(CONTEXT)) as gateway:
            assert isinstance(await gateway.send(message("+447700999100")), Refused)
    assert raised.value.response.status_code == 422
    assert "Invalid recipient" in str(raised.value)
