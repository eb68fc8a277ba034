"""Reads the JSON of messages, and refuses what neither the database nor a template can take.

Refused: more than 20 levels, NUL (PostgreSQL stores none), lone surrogates, numbers that overflow, NaN.
"""

from codecs import BOM_UTF8
from typing import TypeVar, overload

import msgspec

from domain.kernel.errors import Undecodable
from domain.kernel.json_values import DEPTH_MAX, Json, needs_value_check, value_faults
from domain.kernel.number import number

T = TypeVar("T")

_FORBIDDEN = {"nul": "a NUL character (\\u0000)", "too_deep": f"more than {DEPTH_MAX} levels"}

_any = msgspec.json.Decoder(float_hook=number)


@overload
def read_json(decoder: None, body: bytes, what: str) -> Json: ...


@overload
def read_json(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T: ...


def read_json(decoder: msgspec.json.Decoder[T] | None, body: bytes, what: str) -> Json:
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


def check_data(body: bytes, data: object) -> None:
    """Refuse data that is too deep or contains NUL; `body` is the message's, in which it stands.

    Raises:
        Undecodable: it does.
    """
    if needs_value_check(body) and (fault := next(value_faults(data), None)) is not None:
        raise Undecodable(f"the event data has {_FORBIDDEN.get(fault.code, fault.detail)}")
