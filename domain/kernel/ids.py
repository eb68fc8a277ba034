"""Identifiers: UUIDv7 (RFC 9562), and ids that anybody can derive again.

The first 48 bits of a UUIDv7 are milliseconds since 1970 UTC: the hot tables are partitioned by month on
them.  A delivery's id is derived from what it is (notification, user, slot), so fan-out may run any number
of times and the primary key is the uniqueness.  SQL derives the same ids (`posthorn_delivery_id`); golden
vectors hold both together.
"""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

_RANDOM_BITS = 74
_LOW_62 = (1 << 62) - 1


def _with_fields(millis: int, bits74: int) -> UUID:
    high, low = bits74 >> 62, bits74 & _LOW_62
    return UUID(int=(millis << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)


def uuid7(millis: int, random74: int) -> UUID:
    """Build a UUIDv7 from milliseconds since 1970 UTC and 74 random bits."""
    return _with_fields(millis, random74 & ((1 << _RANDOM_BITS) - 1))


def millis_of(value: UUID) -> int:
    """Milliseconds since 1970 UTC that a UUIDv7 carries."""
    return value.int >> 80


def time_of(value: UUID) -> datetime:
    """The instant a UUIDv7 carries, aware UTC, millisecond resolution."""
    return datetime.fromtimestamp(millis_of(value) / 1000, UTC)


def delivery_id(notification: UUID, user: UUID, slot: str) -> UUID:
    """Derive the id of one user's delivery: the notification's time and 74 bits of SHA-256.

    Hashed are the three parts, each with a four-byte big-endian length before it, so that no two different
    triples spell the same bytes.
    """
    tail = slot.encode()
    body = (
        b"\0\0\0\x10" + notification.bytes + b"\0\0\0\x10" + user.bytes + len(tail).to_bytes(4, "big") + tail
    )
    digest = int.from_bytes(hashlib.sha256(body).digest()[:10], "big") >> 6
    return _with_fields(millis_of(notification), digest)


def derived_user_id(digest: bytes) -> UUID:
    """A user's id from a keyed digest (>= 16 bytes) of who they are: UUIDv8, stable, tells nothing."""
    value = int.from_bytes(digest[:16], "big")
    value &= ~(0xF << 76) & ~(0b11 << 62)
    return UUID(int=value | (0x8 << 76) | (0b10 << 62))


def month_floor(year: int, month: int) -> UUID:
    """The smallest id of a month (UTC): the bound of its partition."""
    return UUID(int=int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000) << 80)
