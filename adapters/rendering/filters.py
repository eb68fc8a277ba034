"""The filters and tests of the template language: plain functions over plain data.

Each takes time and room linear in what it is given; what could grow faster says no.  Those in `METERED` are
paid for by the length of what goes in and comes out; the others take the same short time whatever they get.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from adapters.rendering.dates import spoken
from adapters.rendering.work import TEXT_MAX, Gap, Refused, refuse, text

_NO_MINOR_UNIT = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF"}
)
_THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "BRL": "R$"}
_CURRENCY = re.compile(r"[A-Z]{3}")
_MONEY_MAX = 10**18
_NUMBERS = frozenset({int, float, Decimal})
_SHORT_MAX = 40
_DIGITS_MAX = 10
_WORD = re.compile(r"[^\s-]+")


def money(amount: Any, currency: str = "EUR") -> str:
    """`€1,234.50`, `1,234.50 CHF`, `¥1,235`; with an empty currency `1,234.50`.

    Takes a number, or a decimal in a string ("19.90").
    """
    digits, written = _style(currency)
    number = _decimal(amount, digits) if type(amount) is str else amount
    if type(number) not in _NUMBERS or not -_MONEY_MAX < number < _MONEY_MAX:
        refuse("money: not a number", amount)
    return written(number) if number >= 0 else f"-{written(-number)}"


@lru_cache(256)
def _style(currency: Any) -> tuple[int, Callable[[Any], str]]:
    code = text(currency).upper()
    if not code:
        return 2, "{:,.2f}".format
    if _CURRENCY.fullmatch(code) is None:
        raise Refused("money: a currency is three letters (ISO 4217)")
    digits = 0 if code in _NO_MINOR_UNIT else 3 if code in _THREE_DIGITS else 2
    figure = f"{{:,.{digits}f}}"
    return digits, (f"{_SYMBOLS[code]}{figure}" if code in _SYMBOLS else f"{figure} {code}").format


def date(moment: Any, form: str = "%-d %B %Y") -> str:
    """A date or time in ISO 8601, or seconds since 1970 UTC; `form` as in `strftime`, names in English."""
    try:
        if type(moment) is str:
            when = datetime.fromisoformat(_short(moment, "date"))
        else:
            when = datetime.fromtimestamp(_number(moment, "date"), UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused("date: neither a date in ISO 8601 nor seconds since 1970") from None
    try:
        return spoken(when, text(form))
    except ValueError as error:
        raise Refused(f"date: {error}") from None


def default(value: Any, fallback: Any = "", also_empty: bool = False) -> Any:
    """The value, or `fallback` when it is missing or null; with `also_empty` when it is empty, too."""
    if isinstance(value, Gap) or value is None:
        return fallback
    return fallback if also_empty and not value else value


def join(values: Any, separator: str = "", attribute: str | None = None) -> str:
    """The members of a list, or one attribute of each, in one text."""
    members = _list(values, "join")
    if attribute is not None:
        members = [each.get(attribute) if type(each) is dict else None for each in members]
    parts = [text(each) for each in members]
    between = text(separator)
    if sum(map(len, parts)) + len(between) * len(parts) > TEXT_MAX:
        raise Refused("join: the text grows too long")
    return between.join(parts)


def length(value: Any) -> int:
    """How many members or characters."""
    if type(value) not in {str, list, dict}:
        refuse("length: neither text nor a list", value)
    return len(value)


def first(values: Any) -> Any:
    """The first member of a list, null when it is empty."""
    return _list(values, "first")[0] if values else None


def last(values: Any) -> Any:
    """The last member of a list, null when it is empty."""
    return _list(values, "last")[-1] if values else None


def items(value: Any) -> list[tuple[str, Any]]:
    """Names and values of an object, for `{% for name, value in x|items %}`."""
    if type(value) is not dict:
        refuse("items: not an object", value)
    return list(value.items())


def rounded(value: Any, digits: int = 0) -> float:
    """Halves go to the even neighbour; without digits it is a whole number."""
    if type(digits) is not int or not 0 <= digits <= _DIGITS_MAX:
        raise Refused(f"round: digits go from 0 to {_DIGITS_MAX}")
    return round(_number(value, "round"), digits or None)


def title(value: Any) -> str:
    """Every Word With A Capital, O'Brien's apostrophe left alone."""
    return _WORD.sub(lambda word: word[0].capitalize(), text(value))


def truncate(value: Any, size: int = 255, end: str = "…") -> str:
    """At most `size` characters, `end` included."""
    whole, tail = text(value), text(end)
    if type(size) is not int or size < len(tail):
        raise Refused("truncate: a size that leaves no room")
    return whole if len(whole) <= size else whole[: size - len(tail)] + tail


def urlencode(value: Any) -> str:
    """Percent-encoded for use inside a URL."""
    return quote(text(value), safe="")


FILTERS: dict[str, Callable[..., Any]] = {
    "capitalize": lambda value: text(value).capitalize(),
    "date": date,
    "default": default,
    "first": first,
    "items": items,
    "join": join,
    "last": last,
    "length": length,
    "lower": lambda value: text(value).lower(),
    "money": money,
    "round": rounded,
    "title": title,
    "trim": lambda value: text(value).strip(),
    "truncate": truncate,
    "upper": lambda value: text(value).upper(),
    "urlencode": urlencode,
}
METERED = frozenset(
    {"capitalize", "items", "join", "lower", "title", "trim", "truncate", "upper", "urlencode"}
)


def _whole(value: Any) -> int:
    if type(value) is not int:
        refuse("even and odd: not a whole number", value)
    return value


TESTS: dict[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Gap),
    "even": lambda value: _whole(value) % 2 == 0,
    "none": lambda value: value is None,
    "number": lambda value: type(value) in {int, float},
    "odd": lambda value: _whole(value) % 2 == 1,
    "string": lambda value: type(value) is str,
    "undefined": lambda value: isinstance(value, Gap),
}


def _list(value: Any, name: str) -> list[Any]:
    if type(value) is not list:
        refuse(f"{name}: not a list", value)
    return value


def _number(value: Any, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        refuse(f"{name}: not a number", value)
    return value


def _short(value: Any, name: str) -> str:
    if type(value) is not str or len(value) > _SHORT_MAX:
        refuse(f"{name}: not a short text", value)
    return value


def _decimal(value: str, digits: int) -> Decimal:
    try:
        return Decimal(_short(value, "money")).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    except InvalidOperation:  # not a number, or one that no purse holds
        raise Refused("money: not a number") from None
