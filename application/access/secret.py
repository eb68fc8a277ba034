"""The shape of an API key: `ph_live_` or `ph_test_`, 43 characters of 256 random bits, 6 of checksum.

The checksum (CRC-32, as in GitHub's tokens) tells a mistyped or cut key without asking the database; it
protects against accidents only.  What is kept is a keyed digest.
"""

import hmac
import zlib

from domain.kernel.channel import Mode

ENTROPY_BYTES = 32
PREFIX_SHOWN = 12
"""So many first characters are kept in the clear, for people to tell keys apart: four of them are random."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIXES = {f"ph_{mode.value}_": mode for mode in Mode}
_BODY, _SUM = 43, 6


def spell(mode: Mode, entropy: bytes) -> str:
    """Write a key; `entropy` is 32 random bytes."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a key is made of {ENTROPY_BYTES} random bytes, not {len(entropy)}")
    head = f"ph_{mode.value}_" + _base62(int.from_bytes(entropy, "big"), _BODY)
    return head + _base62(zlib.crc32(head.encode()), _SUM)


def well_formed(secret: str) -> bool:
    """Whether this can be a key at all."""
    head, tail = secret[:-_SUM], secret[-_SUM:]
    prefix, body = head[:-_BODY], head[-_BODY:]
    return prefix in _PREFIXES and len(body) == _BODY and tail == _base62(zlib.crc32(head.encode()), _SUM)


def digest(pepper: bytes, secret: str) -> bytes:
    """What is kept and looked up: HMAC-SHA256."""
    return hmac.digest(pepper, secret.encode(), "sha256")


def _base62(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, rest = divmod(value, 62)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
