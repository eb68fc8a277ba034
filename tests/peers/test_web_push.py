"""Web Push: `http_ece` decrypts what we encrypt, Mozilla's `py-vapid` verifies our tokens, and the push
service `web-push-testing` takes our calls.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import http_ece
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from py_vapid import Vapid02

from adapters.providers.push.web_push.encryption import encrypt, point, public_key
from adapters.providers.push.web_push.gateway import WebPushGateway, WebPushSettings
from adapters.providers.push.web_push.vapid import Vapid, encoded, signing_key
from adapters.system import SystemClock
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, Refused
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.servers import node, running
from tests.support.sandbox import free_port

AUTH = b"sixteen octets.."


@pytest.mark.parametrize("text", [b"", b"hello", b"ends with \x02", "谢谢 🎉".encode(), b"x" * 3993])
def test_http_ece_decrypts_what_we_encrypt(text: bytes) -> None:
    browser = generate_private_key(SECP256R1())
    body = encrypt(text, browser.public_key(), AUTH)
    assert http_ece.decrypt(body, private_key=browser, auth_secret=AUTH, version="aes128gcm") == text


def test_http_ece_encrypts_the_same() -> None:
    browser, ours = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    salt = b"salt of sixteen."
    theirs = http_ece.encrypt(
        b"hello",
        salt=salt,
        private_key=ours,
        dh=point(browser.public_key()),
        auth_secret=AUTH,
        rs=4096,
        version="aes128gcm",
    )
    assert encrypt(b"hello", public_key(point(browser.public_key())), AUTH, ours=ours, salt=salt) == theirs


def test_py_vapid_verifies_our_token() -> None:
    key = generate_private_key(SECP256R1())
    header = Vapid(key, "mailto:push@shop.test", SystemClock()).authorization("https://push.example.net")
    assert Vapid02.verify(header)
    another = encoded(point(generate_private_key(SECP256R1()).public_key()))
    assert not Vapid02.verify(f"{header.partition(',k=')[0]},k={another}")


def test_py_vapid_reads_the_same_key() -> None:
    key = generate_private_key(SECP256R1())
    raw = encoded(key.private_numbers().private_value.to_bytes(32, "big"))
    theirs = Vapid02.from_raw(raw.encode())
    assert signing_key(raw).private_numbers() == theirs.private_key.private_numbers() == key.private_numbers()
    assert signing_key(theirs.private_pem().decode()).private_numbers() == key.private_numbers()


async def test_a_push_service_takes_what_we_send(tmp_path: Path) -> None:
    async with pushing(tmp_path) as service:
        subscription = await service.subscribed()
        outcome = await service.gateway.send(
            message(subscription.address, body="Grüße 🎉", parts={"ttl": "PT60S"})
        )
        assert isinstance(outcome, Accepted)
        [text] = await service.got(subscription)
    assert msgspec.json.decode(text)["body"] == "Grüße 🎉"


async def test_a_subscription_for_another_key_is_not_the_recipients_fault(tmp_path: Path) -> None:
    async with pushing(tmp_path) as service:
        other = generate_private_key(SECP256R1())
        outcome = await service.gateway.send(message((await service.subscribed(other)).address))
    assert not isinstance(outcome, Accepted)


async def test_a_subscription_that_has_expired_is_refused(tmp_path: Path) -> None:
    async with pushing(tmp_path) as service:
        subscription = await service.subscribed()
        await service.post(f"/expire-subscription/{subscription.hash}")
        outcome = await service.gateway.send(message(subscription.address))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("410")


class Subscription(msgspec.Struct, frozen=True):
    """Of a browser that the push service plays."""

    address: str
    hash: str


@dataclass(frozen=True, slots=True)
class PushService:
    """`web-push-testing` (npm), which checks the token against the key that was subscribed with, decrypts
    with `http_ece`, and says 400 where real services say 401 or 403.
    """

    url: str
    session: aiohttp.ClientSession
    key: EllipticCurvePrivateKey
    gateway: WebPushGateway

    async def post(self, path: str, document: object = None) -> Any:
        async with self.session.post(f"{self.url}{path}", json=document) as answer:
            assert answer.status == 200, await answer.text()
            said = await answer.read()
            return msgspec.json.decode(said) if said.startswith(b"{") else None

    async def subscribed(self, key: EllipticCurvePrivateKey | None = None) -> Subscription:
        asked = {
            "userVisibleOnly": "true",
            "applicationServerKey": encoded(point((key or self.key).public_key())),
        }
        data = (await self.post("/subscribe", asked))["data"]
        hashed = data.pop("clientHash")
        return Subscription(msgspec.json.encode(data).decode(), hashed)

    async def got(self, subscription: Subscription) -> list[str]:
        known = await self.post("/get-notifications", {"clientHash": subscription.hash})
        messages: list[str] = known["data"]["messages"]
        return messages


@asynccontextmanager
async def pushing(folder: Path) -> AsyncIterator[PushService]:
    port = free_port()
    key = generate_private_key(SECP256R1())
    raw = encoded(key.private_numbers().private_value.to_bytes(32, "big"))
    settings = WebPushSettings(
        key=Secret(raw), contact="mailto:push@shop.test", networks=("127.0.0.0/8", "::1/128")
    )
    command = [*node("web-push-testing/src/bin/server.js"), str(port)]
    async with (
        running(command, folder / "push.log", port),
        aiohttp.ClientSession() as session,
        closing(settings.gateway(CONTEXT)) as gateway,
    ):
        yield PushService(f"http://127.0.0.1:{port}", session, key, gateway)
