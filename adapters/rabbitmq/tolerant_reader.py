"""Reading messages that their sender has spoilt: for their reader to judge, not to cost a connection.

pamqp refuses text that is no UTF-8, unknown types and impossible times in a message's properties; aiormq then
gives the whole connection up.  The message comes again, and after as many losses as the delivery limit it is
dead, and so are all that were under way beside it.  pamqp looks its decoders up in a table: ours stand there.
"""

import struct
from datetime import datetime
from typing import Any

from pamqp import decode

FAULTS = (ValueError, LookupError, OverflowError, OSError, RecursionError, struct.error)
TABLE_MAX = 32 * 1024
"""Bytes of headers that are read: in memory they take up to forty times that."""
TOO_LARGE = b"size"
"""In place of headers that are larger: no text, so that nobody can send one of this name."""


def install() -> None:
    """Read leniently from now on; may be called again."""
    decode.METHODS.update(shortstr=short_text, table=table, timestamp=timestamp)


def short_text(value: bytes) -> tuple[int, str]:
    """A name or a property, with marks for what is no UTF-8."""
    end = 1 + value[0]
    return end, value[1:end].decode(errors="replace")


def table(value: bytes) -> tuple[int, dict[Any, Any]]:
    """Headers; none of them when one cannot be read, and when they are too many to be kept, their size."""
    size = int.from_bytes(value[:4], "big")
    if size > TABLE_MAX:
        return 4 + size, {TOO_LARGE: size}
    try:
        return decode.field_table(value)
    except FAULTS:
        return 4 + size, {}


def timestamp(value: bytes) -> tuple[int, datetime | None]:
    """When the sender says; None when that is no time."""
    try:
        return decode.timestamp(value)
    except FAULTS:
        return 8, None
