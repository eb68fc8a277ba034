"""Reading from whoever stands where PostgreSQL should: what is no message costs a connection, no more.

asyncpg believes the length that stands in front of each message.  One below four turns its reader round for
ever, with the loop and all threads; a huge one is waited for.  It makes its protocol by a name in a module:
ours stands there.
"""

import asyncio
from struct import Struct
from typing import cast

import asyncpg.protocol

HEAD = 5  # a letter, and the length of all but the letter
LENGTH_MIN = 4
LENGTH_MAX = 256 << 20
"""Bytes; no row of ours is nearly as large."""

_read = Struct(">i").unpack_from


class WaryProtocol(asyncpg.protocol.Protocol):  # type: ignore[misc]
    """asyncpg's, for messages of a possible length; others end the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin at a message."""
        self._raw = cast("asyncio.Transport", transport)
        self._beyond = 0
        """Where the next message begins: so many bytes after what has been read."""
        self._head = b""
        """Of that message, when less than a head of it has come."""
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Hand on what may be messages."""
        at, end, seen = self._beyond, len(data), data
        if self._head:
            seen, at = self._head + data, 0
            end += len(self._head)
        while at + HEAD <= end:
            (length,) = _read(seen, at + 1)
            if not LENGTH_MIN <= length <= LENGTH_MAX:
                self._raw.abort()
                return
            at += 1 + length
        self._head = seen[at:]
        self._beyond = max(0, at - end)
        super().data_received(data)


def install() -> None:
    """Be wary from now on; may be called again."""
    asyncpg.protocol.Protocol = WaryProtocol
