"""JSON bodies: decoded at once by msgspec; what it refuses is read again to tell every fault."""

import json
import math
from decimal import Decimal
from functools import cache
from typing import Generic, NoReturn, TypeVar

import msgspec

from domain.kernel.errors import Fault, Invalid, hold
from domain.kernel.json_values import DEPTH_MAX, Json, needs_value_check, value_faults
from domain.kernel.number import number
from entrypoints.http.kit.faults import shape_faults
from entrypoints.http.problems.problem import Rejected

EMPTY = "the body is empty: send a JSON object"

T = TypeVar("T")


class JsonBody(Generic[T]):
    """Decodes one type of body."""

    def __init__(self, wanted: type[T]) -> None:
        self.wanted = wanted
        self._decode = msgspec.json.Decoder(wanted, float_hook=number).decode

    def decode(self, body: bytes) -> T:
        """A body as a struct.

        Raises:
            Rejected: not JSON.
            Invalid: with every fault.
        """
        try:
            value = self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as refusal:
            self._explain(body, str(refusal))
        if needs_value_check(body):
            hold(value_faults(plain(body)))
        return value

    def _explain(self, body: bytes, refusal: str) -> NoReturn:
        hold(shape_faults(plain(body), self.wanted))
        raise Invalid(Fault("", "bad_value", refusal))


@cache
def json_body(wanted: type[T]) -> JsonBody[T]:
    """The decoder of a type, made once."""
    return JsonBody(wanted)


def plain(body: bytes) -> Json:
    """The body as plain values, lone surrogates and overflowing numbers included, for faults to point at.

    Raises:
        Rejected: not JSON.
        Invalid: nested beyond reason.
    """
    if not body:
        raise Rejected("malformed", EMPTY)
    try:
        return json.loads(body.decode(), parse_float=_fraction, parse_int=_integer, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise Rejected("malformed", f"the body is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Rejected("malformed", f"the body is not JSON: {error.msg} ({where})") from None
    except RecursionError:
        raise Invalid(Fault("", "too_deep", f"more than {DEPTH_MAX} levels")) from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 1_000 else math.inf  # Python reads no longer ones, nor does msgspec


def _fraction(digits: str) -> float | Decimal:
    try:
        return number(digits)
    except msgspec.ValidationError:
        return math.inf


def _constant(name: str) -> NoReturn:
    raise Rejected("malformed", f"the body is not JSON: {name} is no JSON value")
