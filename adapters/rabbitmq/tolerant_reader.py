"""Reads malformed message properties, so that one message costs no connection (a tolerant reader).

pamqp refuses text that is not UTF-8, unknown types and impossible times; aiormq then gives up the whole
connection.  The message comes again until it reaches its delivery limit, and with it everything that was
unacked beside it.  pamqp looks up its decoders in a table: this module puts tolerant ones there.
"""

import struct
from datetime import datetime
from typing import Any

from pamqp import decode

FAULTS = (ValueError, LookupError, OverflowError, OSError, RecursionError, struct.error)
TABLE_MAX = 32 * 1024
"""Bytes of headers that are read: in memory they take up to forty times that."""
TOO_LARGE = b"size"
"""The key of their size in place of larger headers: it is bytes, so no sender can use it."""


def install() -> None:
    """Read tolerantly from now on; may be called more than once."""
    decode.METHODS.update(shortstr=short_text, table=table, timestamp=timestamp)


def short_text(value: bytes) -> tuple[int, str]:
    """A name or a property; what is not UTF-8 becomes U+FFFD."""
    end = 1 + value[0]
    return end, value[1:end].decode(errors="replace")


def table(value: bytes) -> tuple[int, dict[Any, Any]]:  # as pamqp's
    """All headers; none when one of them cannot be read; only their size when they are too large."""
    size = int.from_bytes(value[:4], "big")
    if size > TABLE_MAX:
        return 4 + size, {TOO_LARGE: size}
    try:
        return decode.field_table(value)
    except FAULTS:
        return 4 + size, {}


def timestamp(value: bytes) -> tuple[int, datetime | None]:
    """The sender's timestamp; None when it is not a possible time."""
    try:
        return decode.timestamp(value)
    except FAULTS:
        return 8, None
