"""Proof of who sends (RFC 8292): a signed token in the Authorization header, one for each origin."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

import jwt
from cachetools import LRUCache
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.providers.push.web_push.encryption import point
from application.kernel.ports import Clock

LIFETIME = 12 * 3600
"""Seconds; push services take up to 24 h."""
RENEWED_AFTER = 6 * 3600.0
ORIGINS_MAX = 1000
"""Tokens that are kept; a few services have all browsers."""


class Vapid:
    """The tokens of one key."""

    def __init__(self, key: EllipticCurvePrivateKey, contact: str | None, clock: Clock) -> None:
        """
        Args:
            contact: `mailto:` or `https:` URL where a push service finds somebody to talk to.
        """
        self._key = key
        self._contact = contact
        self._clock = clock
        self._public = encoded(point(key.public_key()))
        self._tokens: LRUCache[str, tuple[str, float]] = LRUCache(ORIGINS_MAX)

    def authorization(self, origin: str) -> str:
        """The header's value for calls to an origin, such as `https://push.example.net`."""
        now = self._clock.monotonic()
        token, since = self._tokens.get(origin, ("", -RENEWED_AFTER))
        if not token or now - since >= RENEWED_AFTER:
            token = self._signed(origin)
            self._tokens[origin] = token, now
        return f"vapid t={token},k={self._public}"  # some parse no blank behind the comma

    def _signed(self, origin: str) -> str:
        claims: dict[str, str | int] = {
            "aud": origin,
            "exp": int(self._clock.now().timestamp()) + LIFETIME,
        }
        if self._contact is not None:
            claims["sub"] = self._contact
        return jwt.encode(claims, self._key, "ES256")


def signing_key(text: str) -> EllipticCurvePrivateKey:
    """A private key of P-256: PEM, or the 32 bytes in base64url, as most tools print it.

    Raises:
        ValueError: it is none.
    """
    if "BEGIN" in text:
        try:
            key = load_pem_private_key(text.encode(), password=None)
        except TypeError:
            raise ValueError("it is encrypted") from None
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise ValueError("it is of another kind")
        return key
    octets = decoded(text.strip())
    if len(octets) != 32:
        raise ValueError("it is not 32 bytes long")
    return derive_private_key(int.from_bytes(octets, "big"), SECP256R1())


def encoded(octets: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What is base64url, or base64, with or without padding.

    Raises:
        ValueError: it is neither.
    """
    try:
        known = text.replace("+", "-").replace("/", "_").rstrip("=").encode("ascii")
        return urlsafe_b64decode(known + b"=" * (-len(known) % 4))
    except (NotBase64, UnicodeEncodeError):
        raise ValueError("it is not base64url") from None
