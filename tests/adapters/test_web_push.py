"""Web Push: the vectors of its RFCs, what answers mean, and where endpoints may lead."""

from datetime import timedelta
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from adapters.providers.kit.settings import ProviderContext
from adapters.providers.push.web_push.encryption import encrypt, point, public_key
from adapters.providers.push.web_push.gateway import WebPushGateway, WebPushSettings
from adapters.providers.push.web_push.vapid import Vapid, decoded, encoded, signing_key
from adapters.system import SystemDice
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from entrypoints.simulator.push.web_push import subscription
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.support.answering import Said, answering
from tests.support.clock import HandClock

KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
"""Of RFC 8291, appendix A: the private key of the application server there."""
AS_PUBLIC = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
UA_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBr"
    "u3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
RFC_8292 = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1"
    "YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjj"
    "vW2L9OkSSHzvoD1oA"
)
RFC_8292_KEY = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
CLAIMS = {"aud": "https://push.example.net", "exp": 1453523768, "sub": "mailto:push@example.com"}


def made(*networks: str, clock: HandClock | None = None) -> WebPushGateway:
    settings = WebPushSettings(
        key=Secret(KEY), contact="mailto:push@shop.test", networks=networks, timeout=timedelta(seconds=1)
    )
    return settings.gateway(
        ProviderContext(clock=clock or HandClock(), dice=SystemDice(), call_max=timedelta(seconds=30))
    )


def test_appendix_a_of_rfc_8291() -> None:
    text = b"When I grow up, I want to be a watermelon"
    ours = signing_key(KEY)
    assert encoded(point(ours.public_key())) == AS_PUBLIC
    body = encrypt(text, public_key(decoded(UA_PUBLIC)), decoded(AUTH), ours=ours, salt=decoded(SALT))
    assert encoded(body) == BODY


def test_no_two_messages_are_encrypted_alike() -> None:
    bodies = {encrypt(b"hello", public_key(decoded(UA_PUBLIC)), decoded(AUTH))[:86] for _ in range(3)}
    assert len(bodies) == 3


def test_the_longest_text_fills_a_record() -> None:
    assert len(encrypt(b"x" * 3993, public_key(decoded(UA_PUBLIC)), decoded(AUTH))) == 4096


def test_the_example_of_rfc_8292_is_what_we_would_send() -> None:
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(RFC_8292_KEY))
    known: dict[str, Any] = {"algorithms": ["ES256"], "options": {"verify_exp": False, "verify_iat": False}}
    assert jwt.decode(RFC_8292, key, audience=CLAIMS["aud"], **known) == CLAIMS
    vapid = Vapid(signing_key(KEY), "mailto:push@example.com", HandClock())
    token, shown = vapid.authorization("https://push.example.net").removeprefix("vapid t=").split(",k=")
    ours = jwt.decode(token, public_key(decoded(shown)), audience=CLAIMS["aud"], **known)
    assert ours == CLAIMS | {"exp": HandClock().now().timestamp() + 12 * 3600}
    assert jwt.get_unverified_header(token) == jwt.get_unverified_header(RFC_8292)


def test_an_origin_has_one_token_for_six_hours() -> None:
    clock = HandClock()
    vapid = Vapid(signing_key(KEY), None, clock)
    first, other = vapid.authorization("https://a.test"), vapid.authorization("https://b.test")
    clock.go_on(6 * 3600 - 1)
    assert vapid.authorization("https://a.test") == first != other
    clock.go_on(1)
    assert vapid.authorization("https://a.test") != first


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Said(201, None, {"Location": "https://push.test/m/1"}), Accepted("https://push.test/m/1")),
        (Said(400), Refused("400")),
        (Said(401), AccountFault("401", certain=False)),
        (Said(403), AccountFault("403", certain=False)),
        (Said(404), Refused("404", gone=True)),
        (Said(410), Refused("410", gone=True)),
        (Said(413), Refused("413")),
        (Said(307, None, {"Location": "http://127.0.0.1/"}), AccountFault("307", certain=False)),
        (Said(402), AccountFault("402", certain=False)),
        (Said(429, None, {"Retry-After": "30"}), Deferred("429", retry_after=timedelta(seconds=30))),
        (Said(502), Unknown("502")),
    ],
)
async def test_what_an_answer_means(answer: Said, outcome: Outcome) -> None:
    async with answering(answer) as service, closing(made("127.0.0.0/8")) as gateway:
        assert await gateway.send(message(subscription(service.url, "x"))) == outcome


@pytest.mark.parametrize("status", [201, 202])
async def test_without_a_location_the_delivery_is_the_reference(status: int) -> None:
    sent = message()
    async with answering(Said(status)) as service, closing(made("127.0.0.0/8")) as gateway:
        address = subscription(service.url, "x")
        assert await gateway.send(msgspec.structs.replace(sent, address=address)) == Accepted(
            str(sent.delivery)
        )


async def test_what_it_is_sent() -> None:
    parts = {"ttl": "PT60S", "urgency": "high", "collapseKey": "Ihre Bestellung, Nr. 7"}
    async with answering(Said(201)) as service, closing(made("127.0.0.0/8")) as gateway:
        for each in (parts, {}):
            await gateway.send(message(subscription(service.url, "x"), parts=each))
    full, plain = (asked.headers for asked in service.asked)
    assert (full["TTL"], full["Urgency"], full["Content-Encoding"]) == ("60", "high", "aes128gcm")
    assert len(full["Topic"]) == 32
    assert (plain["TTL"], "Urgency" in plain, "Topic" in plain) == ("2419200", False, False)


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "https://169.254.169.254/", "https://[::1]/"],
)
async def test_no_endpoint_leads_inside(endpoint: str) -> None:
    async with answering(Said(201)) as service, closing(made()) as gateway:
        found = msgspec.json.decode(subscription(service.url, "x"))
        found["endpoint"] = endpoint.format(port=service.url.rpartition(":")[2])
        outcome = await gateway.send(message(msgspec.json.encode(found).decode()))
    assert isinstance(outcome, Refused | Deferred)
    assert not outcome.examined
    assert not service.asked


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "ftp://push.test/"},
        {"endpoint": "https://user:word@push.test/"},
        {"endpoint": "https:///nowhere"},
        {"endpoint": "https://push.test/" + "x" * 2000},
        {"endpoint": None},
        {"keys": {"p256dh": "BAAA", "auth": AUTH}},
        {"keys": {"p256dh": UA_PUBLIC, "auth": "short"}},
        {"keys": {"p256dh": UA_PUBLIC}},
        {"keys": {"p256dh": "ü", "auth": AUTH}},
    ],
)
async def test_what_is_no_subscription_is_refused_at_once(changes: dict[str, Any]) -> None:
    known = {"endpoint": "https://push.test/x", "keys": {"p256dh": UA_PUBLIC, "auth": AUTH}}
    async with closing(made()) as gateway:
        outcome = await gateway.send(message(msgspec.json.encode(known | changes).decode()))
    assert outcome == Refused("the address is no subscription", examined=False)


@pytest.mark.parametrize("key", ["", "short", "ü", "-----BEGIN PRIVATE KEY-----", UA_PUBLIC])
def test_what_is_no_key_is_said_at_the_start(key: str) -> None:
    assert [name for name, _ in WebPushSettings(key=Secret(key)).faults()] == ["key"]
    with pytest.raises(Misconfigured, match=r"P-256"):
        WebPushSettings(key=Secret(key)).gateway(
            ProviderContext(clock=HandClock(), dice=SystemDice(), call_max=timedelta(seconds=30))
        )


def test_wrong_settings_are_named() -> None:
    wrong = WebPushSettings(key=Secret(KEY), url="https://x.test", contact="me", networks=("10.0.0.1/8",))
    assert [name for name, _ in wrong.faults()] == ["url", "contact", "networks"]
    assert [name for name, _ in WebPushSettings().faults()] == ["key"]
