"""asyncpg's protocol with a check of message lengths: what is not PostgreSQL's costs one connection, no more.

asyncpg believes the length in front of each message.  With a length below four its reader never ends, and
blocks the event loop and all threads; for a huge one it waits.  asyncpg finds its protocol class by a name in
a module, and `install` puts this class there.
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


class CheckedProtocol(asyncpg.protocol.Protocol):  # type: ignore[misc]
    """asyncpg's, for messages of a possible length; others end the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A new connection: the next byte begins a message."""
        self._raw = cast("asyncio.Transport", transport)
        self._beyond = 0
        """Bytes from the end of what has been read to the beginning of the next message."""
        self._head = b""
        """The first bytes of that message, while fewer than `HEAD` of them have come."""
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on to asyncpg, or cut the connection at a length that cannot be."""
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
    """Use `CheckedProtocol` for all connections from now on; may be called again."""
    asyncpg.protocol.Protocol = CheckedProtocol
