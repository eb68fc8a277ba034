"""The gateway of Apple's push service, over HTTP/2 with TLS; its other side is our look-alike on hypercorn.

No peer of Apple's runs anywhere but at Apple: h2 and hypercorn judge the protocol, PyJWT the token, and the
table of reasons is as published.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from adapters.providers.push.apns import ApnsGateway, ApnsSettings
from adapters.system import SystemClock
from application.kernel.ports import Clock
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.push.apns import Application, Event, apns
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing, served
from tests.contract.push_gateway import PushContract
from tests.support.clock import HandClock
from tests.support.eventually import eventually
from tests.support.gathering import together
from tests.support.http2 import http2_server
from tests.support.smtp import certificate

KEY = generate_private_key(SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
TOPIC = "test.shop"


def made(url: str, tls: ssl.SSLContext, clock: Clock | None = None, **changes: Any) -> ApnsGateway:
    known: dict[str, Any] = {
        "key": Secret(PEM),
        "key_id": "ABC123DEFG",
        "team": "DEF123GHIJ",
        "topic": TOPIC,
        "timeout": timedelta(seconds=1),
    }
    return ApnsGateway(ApnsSettings(url=url, **(known | changes)), clock or SystemClock(), tls)


class TestApns(PushContract):
    kind = "apns"

    @pytest.fixture
    async def gateway(self, simulator: Simulator, tmp_path: Path) -> AsyncIterator[ApnsGateway]:
        async with (
            http2_server(apns(simulator, PUBLIC, TOPIC), tmp_path) as (url, tls),
            closing(made(url, tls)) as gateway,
        ):
            yield gateway

    async def test_the_reference_is_our_id(self, gateway: ApnsGateway) -> None:
        sent = message()
        assert await gateway.send(sent) == Accepted(str(sent.delivery).upper())

    @pytest.mark.parametrize(
        "changes", [{"topic": "another.app"}, {"key": Secret(PEM), "team": "", "topic": ""}]
    )
    async def test_another_app_is_the_accounts_fault(
        self, simulator: Simulator, tmp_path: Path, changes: dict[str, Any]
    ) -> None:
        async with (
            http2_server(apns(simulator, PUBLIC, TOPIC), tmp_path) as (url, tls),
            closing(made(url, tls, **changes)) as gateway,
        ):
            assert isinstance(await gateway.send(message()), AccountFault)


class Scripted:
    """An application that answers as told, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self._answers = list(answers)
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        self.clients: set[Any] = set()

    async def __call__(self, scope: Event, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while (event := await receive())["type"] == "http.request":
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        self.clients.add(tuple(scope["client"]))
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.bodies.append(msgspec.json.decode(body))
        status, said = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        await send({"type": "http.response.start", "status": status, "headers": []})
        content = said if isinstance(said, bytes) else msgspec.json.encode(said)
        await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def asking(
    application: Application, folder: Path, clock: Clock | None = None, **changes: Any
) -> AsyncIterator[ApnsGateway]:
    async with (
        http2_server(application, folder) as (url, tls),
        closing(made(url, tls, clock, **changes)) as gateway,
    ):
        assert isinstance(gateway, ApnsGateway)
        yield gateway


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "BadCollapseId", Refused),
        (400, "BadDeviceToken", Refused),
        (400, "BadExpirationDate", Refused),
        (400, "BadMessageId", Refused),
        (400, "BadPriority", Refused),
        (400, "BadTopic", AccountFault),
        (400, "DeviceTokenNotForTopic", Refused),
        (400, "DuplicateHeaders", Refused),
        (400, "IdleTimeout", Deferred),
        (400, "InvalidPushType", Refused),
        (400, "MissingDeviceToken", Refused),
        (400, "MissingTopic", AccountFault),
        (400, "PayloadEmpty", Refused),
        (400, "TopicDisallowed", AccountFault),
        (403, "BadCertificate", AccountFault),
        (403, "BadCertificateEnvironment", AccountFault),
        (403, "ExpiredProviderToken", AccountFault),
        (403, "Forbidden", AccountFault),
        (403, "InvalidProviderToken", AccountFault),
        (403, "MissingProviderToken", AccountFault),
        (403, "UnrelatedKeyIdInToken", AccountFault),
        (403, "BadEnvironmentKeyIdInToken", AccountFault),
        (404, "BadPath", Refused),
        (405, "MethodNotAllowed", Refused),
        (410, "ExpiredToken", Refused),
        (410, "Unregistered", Refused),
        (413, "PayloadTooLarge", Refused),
        (429, "TooManyProviderTokenUpdates", Deferred),
        (429, "TooManyRequests", Deferred),
        (500, "InternalServerError", Deferred),
        (503, "ServiceUnavailable", Deferred),
        (503, "Shutdown", Deferred),
        (502, "", Unknown),
    ],
)
async def test_what_a_reason_means(status: int, reason: str, kind: type[Outcome], tmp_path: Path) -> None:
    async with asking(Scripted((status, {"reason": reason, "timestamp": 1})), tmp_path) as gateway:
        outcome = await gateway.send(message())
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Accepted)
    assert outcome.reason.startswith(f"{status} {reason}".strip())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[[]]", b"\xff", b'{"reason": 7}'])
async def test_a_status_counts_whatever_the_body(body: bytes, tmp_path: Path) -> None:
    async with asking(Scripted((410, body)), tmp_path) as gateway:
        assert isinstance(await gateway.send(message()), Refused)


async def test_what_it_is_sent(tmp_path: Path) -> None:
    parts = {
        "data": {"order": "7"},
        "image": "https://shop.test/a.png",
        "link": "shop://orders/7",
        "badge": 0,
        "sound": "ding",
        "collapseKey": "order-7",
        "ttl": "PT60S",
        "urgency": "high",
    }
    sent, there = message("0a1b", subject="Shipped", parts=parts), Scripted((200, b""))
    async with asking(there, tmp_path, HandClock()) as gateway:
        await gateway.send(sent)
        await gateway.send(message(parts={"collapseKey": "Grüße", "ttl": "PT0S", "urgency": "normal"}))
    [headers, other] = there.headers
    scheme, token = headers.pop("authorization").split()
    assert scheme == "bearer"
    assert jwt.decode(token, PUBLIC, ["ES256"]) == {"iss": "DEF123GHIJ", "iat": 1767225600}
    assert jwt.get_unverified_header(token)["kid"] == "ABC123DEFG"
    assert {name: value for name, value in headers.items() if name.startswith("apns-")} == {
        "apns-topic": TOPIC,
        "apns-push-type": "alert",
        "apns-id": str(sent.delivery),
        "apns-priority": "10",
        "apns-expiration": "1767225660",
        "apns-collapse-id": "order-7",
    }
    assert (other["apns-priority"], other["apns-expiration"]) == ("5", "0")
    assert len(other["apns-collapse-id"]) == 64
    assert there.bodies[0] == {
        "aps": {
            "alert": {"title": "Shipped", "body": "Thank you."},
            "badge": 0,
            "sound": "ding",
            "mutable-content": 1,
        },
        "image": "https://shop.test/a.png",
        "link": "shop://orders/7",
        "order": "7",
        "posthorn_delivery": str(sent.delivery),
        "posthorn_attempt": "1",
    }


async def test_all_calls_share_a_token_and_a_connection(tmp_path: Path) -> None:
    """A call that runs out of time would have the next one open another connection."""
    there = Scripted((200, b""))
    async with asking(there, tmp_path, timeout=timedelta(seconds=20)) as gateway:
        await together(gateway, [message() for _ in range(150)])
    assert len({headers["authorization"] for headers in there.headers}) == 1
    assert len(there.clients) == 1


async def test_the_token_is_renewed_in_time_and_when_apple_says_so(tmp_path: Path) -> None:
    clock, expired = HandClock(), (403, {"reason": "ExpiredProviderToken"})
    there = Scripted((200, b""), (200, b""), (200, b""), expired, (200, b""))
    async with asking(there, tmp_path, clock) as gateway:
        for seconds in (0, 2399, 1):
            clock.go_on(seconds)
            await gateway.send(message())
        clock.go_on(1200)
        outcome = await gateway.send(message())
        assert isinstance(outcome, Deferred)
        assert outcome.retry_after == timedelta()
        assert isinstance(await gateway.send(message()), Accepted)
    tokens = [headers["authorization"] for headers in there.headers]
    assert tokens[0] == tokens[1] != tokens[2] == tokens[3] != tokens[4]


async def test_a_call_that_is_given_up_leaves_the_others_alone(tmp_path: Path) -> None:
    """What is under way goes on, what comes after it has a connection of its own."""
    simulator = Simulator(ids=IDS)
    async with asking(apns(simulator, PUBLIC, TOPIC), tmp_path) as gateway:
        slow = asyncio.create_task(gateway.send(message("slow-700@shop.test")))
        silent = asyncio.create_task(gateway.send(message("silent@shop.test")))
        await eventually(lambda: [got for got in simulator.got if got.address == "silent@shop.test"])
        silent.cancel()
        assert isinstance(await gateway.send(message()), Accepted)
        assert not slow.done()
        assert isinstance(await slow, Accepted)


async def test_nobody_there_is_a_definite_failure(tmp_path: Path) -> None:
    pem, _ = certificate(tmp_path)
    async with closing(made("https://127.0.0.1:1", ssl.create_default_context(cafile=pem))) as gateway:
        outcome = await gateway.send(message())
    assert isinstance(outcome, Deferred)
    assert not outcome.examined


async def test_a_server_that_proves_nothing_is_sent_nothing(tmp_path: Path) -> None:
    there = Scripted((200, b""))
    async with (
        http2_server(there, tmp_path) as (url, _),
        closing(made(url, ssl.create_default_context())) as gateway,
    ):
        outcome = await gateway.send(message())
    assert isinstance(outcome, Deferred)
    assert not outcome.examined
    assert there.headers == []


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100])
async def test_what_is_no_http2_is_no_answer(said: bytes, tmp_path: Path) -> None:
    pem, context = certificate(tmp_path)
    context.set_alpn_protocols(["h2"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(said)
        await writer.drain()

    async with served(serve, tls=context) as port:
        tls = ssl.create_default_context(cafile=pem)
        async with closing(made(f"https://localhost:{port}", tls)) as gateway:
            assert isinstance(await gateway.send(message()), Unknown)


def test_missing_and_wrong_settings_are_named() -> None:
    assert [name for name, _ in ApnsSettings().faults()] == ["key", "key_id", "team", "topic"]
    wrong = ApnsSettings(key=Secret("no"), key_id="ABC123DEFG", team="DEF123GHIJ", topic=TOPIC)
    assert list(wrong.faults()) == [("key", "is not what a .p8 file contains")]
