"""Reading messages that their sender has spoilt: for their reader to judge, not to cost a connection.

pamqp refuses text that is no UTF-8, unknown types and impossible times in a message's properties; aiormq then
gives the whole connection up.  The message comes again, and after as many losses as the delivery limit it is
dead, and so are all that were under way beside it.  pamqp looks its decoders up in a table: ours stand there.
"""

import struct
from datetime import datetime

from pamqp import decode

FAULTS = (ValueError, LookupError, OverflowError, OSError, RecursionError, struct.error)


def install() -> None:
    """Read leniently from now on; may be called again."""
    decode.METHODS.update(shortstr=short_text, table=table, timestamp=timestamp)


def short_text(value: bytes) -> tuple[int, str]:
    """A name or a property, with marks for what is no UTF-8."""
    end = 1 + value[0]
    return end, value[1:end].decode(errors="replace")


def table(value: bytes) -> tuple[int, dict[str, object]]:
    """Headers; none of them when one cannot be read."""
    try:
        return decode.field_table(value)
    except FAULTS:
        return 4 + int.from_bytes(value[:4], "big"), {}


def timestamp(value: bytes) -> tuple[int, datetime | None]:
    """When the sender says; None when that is no time."""
    try:
        return decode.timestamp(value)
    except FAULTS:
        return 8, None
