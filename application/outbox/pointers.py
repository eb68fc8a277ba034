"""The message on a lane: pointers to rows, never addresses or content.

{"v": 1, "d": [["0198…", 3], …]}
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from domain.kernel.errors import Undecodable

PACK_MAX = 100
"""Most pointers in one message."""
SIZE_MAX = 16 * 1024
"""Bytes of a message: a full one has about 5,000."""


class Pointer(msgspec.Struct, frozen=True, array_like=True):
    """One delivery at one sequence number; with another number on the row it is stale."""

    delivery: UUID
    seq: int


class _PointersV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: int
    d: list[Pointer]


_decoder = msgspec.json.Decoder(_PointersV1)
_encoder = msgspec.json.Encoder()


def encode(pointers: Iterable[Pointer]) -> bytes:
    """Write one message."""
    return _encoder.encode(_PointersV1(1, list(pointers)))


def decode(body: bytes) -> list[Pointer]:
    """Read one message.

    Raises:
        Undecodable: not such a message, of another version, empty or over `PACK_MAX`.
    """
    try:
        message = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Undecodable("not a pointer message") from fault  # its words quote what stands there
    if message.v != 1:
        raise Undecodable(f"pointer message of unknown version {message.v}")
    if not 1 <= len(message.d) <= PACK_MAX:
        raise Undecodable(f"pointer message with {len(message.d)} pointers")
    return message.d


def packed(pointers: Sequence[Pointer], size: int = PACK_MAX) -> list[list[Pointer]]:
    """Cut into messages of at most `size`."""
    return [list(pointers[i : i + size]) for i in range(0, len(pointers), size)]
