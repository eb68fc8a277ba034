"""Signatures of Standard Webhooks 1.0: who sent a body, and when.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

    whsec_…   base64 of 24 to 64 random bytes: `v1`, HMAC-SHA256, both sides know it
    whsk_…    base64 of the 32 bytes of an Ed25519 key: `v1a`, the receiver knows the public key (whpk_…)
"""

import base64
import binascii
import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SHARED, PRIVATE = "whsec_", "whsk_"
SHARED_MIN, SHARED_MAX = 24, 64
PRIVATE_BYTES = 32

SigningKey = bytes | Ed25519PrivateKey
"""Bytes: a shared secret."""


def signing_key(written: str) -> SigningKey:
    """Read a key as it is written.

    Raises:
        ValueError: it is none; says nothing of it.
    """
    if written.startswith(SHARED):
        key = _decoded(written.removeprefix(SHARED))
        if SHARED_MIN <= len(key) <= SHARED_MAX:
            return key
    elif written.startswith(PRIVATE):
        seed = _decoded(written.removeprefix(PRIVATE))
        if len(seed) in {PRIVATE_BYTES, 2 * PRIVATE_BYTES}:  # some write the public key behind it
            return Ed25519PrivateKey.from_private_bytes(seed[:PRIVATE_BYTES])
    raise ValueError(
        f"is neither {SHARED} and base64 of {SHARED_MIN} to {SHARED_MAX} bytes nor {PRIVATE} and base64 of "
        f"{PRIVATE_BYTES}"
    )


def signed(keys: Sequence[SigningKey], id: str, seconds: int, body: bytes) -> dict[str, str]:  # noqa: A002  its name in the standard
    """The headers that prove who sent the body, and when: one signature of each key.

    Args:
        id: the same on every repetition; receivers ignore what they have seen.
        seconds: since 1970 UTC.
    """
    said = b"%b.%d.%b" % (id.encode(), seconds, body)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(_signature(key, said) for key in keys),
    }


def _signature(key: SigningKey, said: bytes) -> str:
    if isinstance(key, bytes):
        return f"v1,{base64.b64encode(hmac.digest(key, said, 'sha256')).decode()}"
    return f"v1a,{base64.b64encode(key.sign(said)).decode()}"


def _decoded(text: str) -> bytes:
    """Empty when it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
