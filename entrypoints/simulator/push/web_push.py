"""A push service and its browsers (RFC 8030, 8291, 8292): `POST /push/{browser}`.

All browsers have one key.  What comes is decrypted, as a browser would, and the sender's token is looked at.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote
from uuid import UUID

import jwt
import msgspec
from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, routes

SIZE_MAX = 4096
AUTH = b"of the simulated"  # 16 bytes
KEY = generate_private_key(SECP256R1())
_POINT = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
_STATUSES = {Behaviour.REFUSE: 410, Behaviour.DEFER: 503, Behaviour.THROTTLE: 429}


def subscription(url: str, address: str) -> str:
    """The subscription of a simulated browser at this service, as a browser writes it."""
    keys = {"p256dh": _text(_POINT), "auth": _text(AUTH)}
    endpoint = f"{url}/push/{quote(address, safe='')}"
    return msgspec.json.encode({"endpoint": endpoint, "expirationTime": None, "keys": keys}).decode()


def web_push(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any sender is welcome who can prove to be one."""

    async def push(request: web.Request) -> web.Response:
        if not _proven(request):
            return web.Response(status=401)
        if not request.headers.get("TTL", "").isdigit() or request.headers["Content-Encoding"] != "aes128gcm":
            return web.Response(status=400)
        body = await request.read()
        if len(body) > SIZE_MAX:
            return web.Response(status=413)
        try:
            document = msgspec.json.decode(_decrypted(body))
        except (InvalidTag, ValueError, msgspec.DecodeError):
            return web.Response(status=400)
        [behaviour] = await simulator.take([_got(request.match_info["browser"], document)])
        if status := _STATUSES.get(behaviour):
            return web.Response(status=status, headers={"Retry-After": "1"} if status == 429 else None)
        location = f"{request.scheme}://{request.host}/messages/{simulator.reference()}"
        return web.Response(status=201, headers={"Location": location})

    return routes(("POST", "/push/{browser}", push))


def _proven(request: web.Request) -> bool:
    """Whether the sender's token is signed by the key that it shows, for this service."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    fields = dict(each.strip().partition("=")[::2] for each in rest.split(","))
    try:
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _octets(fields.get("k", "")))
        jwt.decode(
            fields.get("t", ""), key, algorithms=["ES256"], audience=f"{request.scheme}://{request.host}"
        )
    except (jwt.InvalidTokenError, ValueError):
        return False
    return scheme == "vapid"


def _decrypted(body: bytes) -> bytes:
    """The text of a message of one record.

    Raises:
        InvalidTag, ValueError: it is not for our browsers.
    """
    salt, length = body[:16], body[20]
    sender, record = body[21 : 21 + length], body[21 + length :]
    shared = KEY.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))
    material = HKDF(hashes.SHA256(), 32, AUTH, b"WebPush: info\0" + _POINT + sender).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(material)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(material)
    text, delimiter, _ = AESGCM(key).decrypt(nonce, record, None).rpartition(b"\x02")
    if not delimiter:
        raise ValueError("no last record")
    return text


def _got(address: str, document: Json) -> Got:
    data = document.get("data", {})
    delivery = data.get("posthorn_delivery")
    return Got(
        address=address,
        delivery=UUID(delivery) if delivery else None,
        attempt=int(data.get("posthorn_attempt", 1)),
        document=document,
    )


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
