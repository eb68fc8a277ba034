"""Encryption of a push message for one browser: RFC 8291, in the `aes128gcm` encoding of RFC 8188.

    salt (16) | record size (4) | length of the key (1) | our public key (65) | text, 0x02, tag (16)

One record is all there is: push services take no more than 4,096 bytes.
"""

import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_SIZE = 4096
TEXT_MAX = 3993
"""Bytes of text: what is left of a record of 4,096 beside header, delimiter and tag."""
SALT_BYTES = 16
AUTH_BYTES = 16
_LAST = b"\x02"
"""The delimiter of the last record."""


def public_key(octets: bytes) -> EllipticCurvePublicKey:
    """The key of a browser, 65 bytes as an uncompressed point.

    Raises:
        ValueError: it is no point of the curve.
    """
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), octets)


def encrypt(
    text: bytes,
    browser: EllipticCurvePublicKey,
    auth: bytes,
    *,
    ours: EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of a push message.

    Args:
        browser, auth: the subscription's `p256dh` and `auth`, decoded.
        ours, salt: for this message alone; None: fresh ones.
    """
    ours = ours or generate_private_key(SECP256R1())
    salt = salt or os.urandom(SALT_BYTES)
    us, them = point(ours.public_key()), point(browser)
    secret = ours.exchange(ECDH(), browser)
    material = _derived(secret, salt=auth, info=b"WebPush: info\0" + them + us, length=32)
    key = _derived(material, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derived(material, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    head = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(us)]) + us
    return head + AESGCM(key).encrypt(nonce, text + _LAST, None)


def point(key: EllipticCurvePublicKey) -> bytes:
    """A public key as 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(material: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)
