"""The filters and tests of the template language: plain functions over plain data.

Each takes time and memory linear in its input, and refuses what could grow faster.  Those in `METERED` count
work by the length of their input, before they run, and of their output.  The others refuse long input and
cost at most `COSTS` units of work.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from urllib.parse import quote

from adapters.rendering.arithmetic import NUMBERS
from adapters.rendering.dates import FORM_MAX, spoken
from adapters.rendering.links import SCHEMES, linked
from adapters.rendering.runtime import TEXT_MAX, NamedUndefined, RenderingRefused, refuse, text
from adapters.rendering.values import Value
from domain.kernel.number import exact

_NO_MINOR_UNIT = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF"}
)
_THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "BRL": "R$"}
_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?\s*")
_CODE_MAX = 3
_NO_CURRENCY = "money: a currency is three letters (ISO 4217)"
_MONEY_MAX = 10**18
_SHORT_MAX = 40
_DIGITS_MAX = 10
_WORD = re.compile(r"[^\s-]+")


def money(amount: Value, currency: str = "EUR") -> str:
    """`€1,234.50`, `1,234.50 CHF`, `¥1,235`; with an empty currency `1,234.50`.  Halves go up.

    Takes a number, or a decimal in a string ("19.90"): both are what their digits say.
    """
    if type(currency) is not str or len(currency) > _CODE_MAX:
        refuse(_NO_CURRENCY, currency)
    if type(amount) is str:
        amount = _decimal(_short(amount, "money"))
    if type(amount) not in NUMBERS or not -_MONEY_MAX < amount < _MONEY_MAX:
        refuse("money: not a number", amount)
    return _price(amount, currency)


@lru_cache(1024)
def _price(amount: float | Decimal, currency: str) -> str:
    digits, written = _style(currency)
    rounded = exact(amount).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"-{written(-rounded)}" if rounded < 0 else written(abs(rounded))


@lru_cache(256)
def _style(currency: str) -> tuple[int, Callable[[Value], str]]:
    code = currency.upper()
    if not code:
        return 2, "{:,.2f}".format
    if _CURRENCY.fullmatch(code) is None:
        raise RenderingRefused(_NO_CURRENCY)
    digits = 0 if code in _NO_MINOR_UNIT else 3 if code in _THREE_DIGITS else 2
    figure = f"{{:,.{digits}f}}"
    return digits, (f"{_SYMBOLS[code]}{figure}" if code in _SYMBOLS else f"{figure} {code}").format


def date(moment: object, form: str = "%-d %B %Y") -> str:
    """A date or time in ISO 8601, or seconds since 1970 UTC; `form` as in `strftime`, names in English."""
    if type(form) is not str or len(form) > FORM_MAX:
        refuse(f"date: a format is a text of at most {FORM_MAX} characters", form)
    try:
        if type(moment) is str:
            when = datetime.fromisoformat(_short(moment, "date"))
        else:
            when = datetime.fromtimestamp(float(_number(moment, "date")), UTC)
    except (ValueError, OverflowError, OSError):
        raise RenderingRefused("date: neither a date in ISO 8601 nor seconds since 1970") from None
    try:
        return spoken(when, form)
    except ValueError as error:
        raise RenderingRefused(f"date: {error}") from None


def default(value: object, fallback: object = "", also_empty: bool = False) -> Value:
    """The value, or `fallback` when it is missing or null; with `also_empty` when it is empty, too."""
    if isinstance(value, NamedUndefined) or value is None:
        return fallback
    return fallback if also_empty and not value else value


def join(values: object, separator: str = "", attribute: str | None = None) -> str:
    """The members of a list, or one attribute of each, in one text."""
    members = _list(values, "join")
    if attribute is not None:
        members = [each.get(attribute) if type(each) is dict else None for each in members]
    parts = [text(each) for each in members]
    between = text(separator)
    if sum(map(len, parts)) + len(between) * len(parts) > TEXT_MAX:
        raise RenderingRefused("join: the text grows too long")
    return between.join(parts)


def length(value: Value) -> int:
    """How many members or characters."""
    if type(value) not in {str, list, dict}:
        refuse("length: neither text nor a list", value)
    return len(value)


def first(values: object) -> Value:
    """The first member of a list, null when it is empty."""
    return _list(values, "first")[0] if values else None


def last(values: object) -> Value:
    """The last member of a list, null when it is empty."""
    return _list(values, "last")[-1] if values else None


def items(value: object) -> list[tuple[str, Value]]:
    """Names and values of an object, for `{% for name, value in x|items %}`."""
    if type(value) is not dict:
        refuse("items: not an object", value)
    return list(value.items())


def rounded(value: object, digits: int = 0) -> float | Decimal:
    """To so many decimals, halves up as in `money`; without digits to a whole number, halves to even."""
    if type(digits) is not int or not 0 <= digits <= _DIGITS_MAX:
        raise RenderingRefused(f"round: digits go from 0 to {_DIGITS_MAX}")
    number = _number(value, "round")
    if type(number) is int:
        return number
    if not -_MONEY_MAX < number < _MONEY_MAX:
        raise RenderingRefused("round: the number is too large")
    if not digits:
        return int(exact(number).to_integral_value(ROUND_HALF_EVEN))
    return float(exact(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)) or 0.0


def title(value: object) -> str:
    """Every Word With A Capital, O'Brien's apostrophe left alone."""
    return _WORD.sub(lambda word: word[0].capitalize(), text(value))


def truncate(value: object, size: int = 255, end: str = "…") -> str:
    """At most `size` characters, `end` included."""
    whole, tail = text(value), text(end)
    if type(size) is not int or size < len(tail):
        raise RenderingRefused("truncate: a size that leaves no room")
    return whole if len(whole) <= size else whole[: size - len(tail)] + tail


def urlencode(value: object) -> str:
    """Percent-encoded for use inside a URL."""
    return quote(text(value), safe="")


def link(value: Value, *schemes: Value) -> str:
    """A link from data: http or https, or one of the `schemes` named instead (also mailto, tel)."""
    if isinstance(value, NamedUndefined):
        value.raise_missing()
    if not is_link(value, *schemes):
        raise RenderingRefused(f"link: none with {' or '.join(schemes or SCHEMES[:2])}")
    return str(value).strip()


def is_link(value: Value, *schemes: Value) -> bool:
    """Whether `link` would take it: `{% if url is link %}`."""
    if not set(schemes) <= set(SCHEMES):
        raise RenderingRefused(f"link: the schemes are {', '.join(SCHEMES)}")
    return type(value) is str and linked(value, schemes or SCHEMES[:2])


FILTERS: dict[str, Callable[..., Value]] = {
    "capitalize": lambda value: text(value).capitalize(),
    "date": date,
    "default": default,
    "first": first,
    "items": items,
    "join": join,
    "last": last,
    "length": length,
    "link": link,
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
COSTS = {"date": 40, "default": 2, "link": 30, "money": 8, "round": 8}
"""Units of work beyond that of any node; of METERED their fixed part is that of a node."""


def _whole(value: object) -> int:
    if type(value) is not int:
        refuse("even and odd: not a whole number", value)
    return value


TESTS: dict[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, NamedUndefined),
    "even": lambda value: _whole(value) % 2 == 0,
    "none": lambda value: value is None,
    "link": is_link,
    "number": lambda value: type(value) in NUMBERS,
    "odd": lambda value: _whole(value) % 2 == 1,
    "string": lambda value: type(value) is str,
    "undefined": lambda value: isinstance(value, NamedUndefined),
}


def _list(value: object, name: str) -> list[Value]:
    if type(value) is not list:
        refuse(f"{name}: not a list", value)
    return value


def _number(value: Value, name: str) -> Value:
    if type(value) not in NUMBERS or not math.isfinite(value):
        refuse(f"{name}: not a number", value)
    return value


def _short(value: str, name: str) -> str:
    if len(value) > _SHORT_MAX:
        raise RenderingRefused(f"{name}: not a short text")
    return value


def _decimal(value: str) -> Decimal:
    if _AMOUNT.fullmatch(value) is None:
        raise RenderingRefused("money: not a number")
    return Decimal(value)
