"""What no event may contain, whoever sent it: it would take others down with it, or a database refuses it.

Refused: more than 20 levels, NUL (PostgreSQL stores none), lone surrogates, numbers that overflow, NaN.  The
common event is found innocent by looking at its bytes; only a suspect is walked through.
"""

from codecs import BOM_UTF8
from typing import Any, TypeVar, overload

import msgspec

from domain.kernel.errors import Undecodable
from domain.kernel.number import number

DEPTH_MAX = 20

T = TypeVar("T")

_any = msgspec.json.Decoder(float_hook=number)


@overload
def read_json(decoder: None, body: bytes, what: str) -> Any: ...


@overload
def read_json(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T: ...


def read_json(decoder: msgspec.json.Decoder[T] | None, body: bytes, what: str) -> Any:
    """Decode JSON; a byte order mark in front, as .NET writes it, is skipped (RFC 8259, 8.1).

    Raises:
        Undecodable: not JSON, not of the decoder's type, lone surrogates, overflowing numbers, far too deep.
    """
    try:
        return (decoder or _any).decode(body.removeprefix(BOM_UTF8))
    except msgspec.ValidationError as fault:
        raise Undecodable(f"{what}: {fault}") from None
    except (msgspec.DecodeError, ValueError) as fault:
        raise Undecodable(f"{what} is not valid JSON: {fault}") from None
    except RecursionError:
        raise Undecodable(f"{what} has more than {DEPTH_MAX} levels") from None


def check_data(body: bytes, data: Any) -> None:
    """Refuse depth and NUL.

    Raises:
        Undecodable: it has one of them.
    """
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX or b"\\u0000" in body:
        _walk(data)


def _walk(data: Any) -> None:
    level, depth = [data], 0
    while level:
        deeper: list[Any] = []
        nested = False
        for value in level:
            if isinstance(value, str):
                if "\0" in value:
                    raise Undecodable("the event data has a NUL character (\\u0000)")
            elif isinstance(value, dict):
                nested = True
                deeper += value
                deeper += value.values()
            elif isinstance(value, list):
                nested = True
                deeper += value
        depth += nested
        if depth > DEPTH_MAX:
            raise Undecodable(f"the event data has more than {DEPTH_MAX} levels")
        level = deeper
