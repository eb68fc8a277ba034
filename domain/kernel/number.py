"""Numbers of JSON without rounding: a price keeps the digits that were written."""

from decimal import Decimal
from math import isfinite

import msgspec

DIGITS_MAX = 40
"""Longest number, in characters, that is kept exactly; a longer one becomes the nearest double."""


def number(digits: str) -> float | Decimal:
    """Read a JSON fraction: the `float_hook` of a decoder; encode with `decimal_format="number"`.

    A float where that says the same: its shortest spelling (`repr`) has all digits, up to 15 always.  Else a
    Decimal.

    Raises:
        msgspec.ValidationError: larger than a double.
    """
    near = float(digits)
    spelled = repr(near)
    if spelled == digits:
        return near
    if not isfinite(near):
        raise msgspec.ValidationError("Number out of range")
    if len(digits) > DIGITS_MAX:
        return near
    exactly = Decimal(digits)
    return near if exactly == Decimal(spelled) else exactly


def exact(value: float | Decimal) -> Decimal:
    """The decimal that a number of JSON stands for."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


read_json = msgspec.json.Decoder(float_hook=number).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def json_text(value: object) -> str:
    """JSON of a value, numbers with all their digits."""
    return _encode(value).decode()
