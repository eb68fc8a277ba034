"""One setting's value: read from text or TOML, described for error messages, shown without secrets."""

import re
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from msgspec import inspect

from config.secret_url import SecretUrl
from domain.kernel.secret import Secret

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_WHOLE_MAX = 2**31 - 1
_SPAN_MAX = timedelta(days=3660)
_WRITTEN_MAX = 100
"""Characters of a duration: reading it takes time quadratic in them."""
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


def parse(kind: inspect.Type, value: object) -> Any:  # what the kind says
    """Read a value: text from the environment and from flags, TOML's own types from the file.

    Raises:
        ValueError, TypeError: it is not what `expected(kind)` says.
    """
    match kind:
        case inspect.Metadata(type=inner):
            return parse(inner, value)
        case inspect.UnionType(types=types):
            wanted = [each for each in types if not isinstance(each, inspect.NoneType)]
            return None if value == "" else parse(wanted[0], value)
        case inspect.VarTupleType(item_type=item):
            parts = value.split(",") if isinstance(value, str) else value
            if not isinstance(parts, list):
                raise TypeError(value)
            return tuple(parse(item, part.strip() if isinstance(part, str) else part) for part in parts)
        case inspect.TimeDeltaType():
            return duration(value)
        case inspect.BoolType():
            return _boolean(value)
        case inspect.IntType() | inspect.FloatType():
            return _number(kind, value)
        case inspect.EnumType(cls=cls):
            return cls(value)
        case inspect.LiteralType(values=values) if value in values:
            return value
        case inspect.CustomType(cls=cls) if isinstance(value, str) and value:
            return _custom(cls, value)
        case inspect.StrType() if isinstance(value, str) and value.isprintable():
            return value
        case _:
            raise ValueError(value)


def expected(kind: inspect.Type) -> str:
    """What `parse` takes, in words."""
    match kind:
        case inspect.Metadata(type=inner):
            return expected(inner)
        case inspect.UnionType(types=types):
            return expected(next(each for each in types if not isinstance(each, inspect.NoneType)))
        case inspect.VarTupleType(item_type=item):
            return f"a list, each {expected(item)}"
        case inspect.TimeDeltaType():
            return 'a duration such as "60s", "10m" or "1h30m", or a number of seconds'
        case inspect.BoolType():
            return "true or false"
        case inspect.FloatType(ge=low, le=high):
            return f"a number from {low} to {high}"
        case inspect.IntType(ge=low, le=high):
            span = (
                f" from {low} to {high}"
                if high is not None
                else f" of at least {low}"
                if low is not None
                else ""
            )
            return f"a whole number{span}"
        case inspect.EnumType(cls=cls):
            return _one_of([str(member.value) for member in cls])
        case inspect.LiteralType(values=values):
            return _one_of([str(value) for value in values])
        case inspect.CustomType(cls=cls):
            return "a path" if cls is Path else "a URL" if cls is SecretUrl else "text"
        case _:
            return "text"


def is_secret(kind: inspect.Type) -> bool:
    """Whether a value of this kind must not be quoted in an error."""
    match kind:
        case inspect.Metadata(type=inner):
            return is_secret(inner)
        case inspect.UnionType(types=types):
            return any(is_secret(each) for each in types)
        case inspect.CustomType(cls=cls):
            return issubclass(cls, Secret)
        case _:
            return False


def shown(value: object) -> str:
    """A value for people; secrets are masked."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case timedelta():
            return span(value)
        case Enum():
            return str(value.value)
        case tuple():
            return ",".join(shown(each) for each in value)
        case _:
            return str(value)


def duration(value: object) -> timedelta:
    """Read "1h30m", "60s" or a number of seconds; never negative, at most ten years.

    Raises:
        ValueError, TypeError: none of these.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    text = str(value).strip()
    if len(text) > _WRITTEN_MAX:
        raise ValueError(value)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif text and not _SPAN.sub("", text).strip():
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _SPAN.findall(text))
    else:
        raise ValueError(value)
    if seconds > _SPAN_MAX.total_seconds():
        raise ValueError(value)
    return timedelta(seconds=seconds)


def span(value: timedelta) -> str:
    """Write a duration as `duration` reads it: 5400 s is "1h30m"."""
    rest, parts = round(value.total_seconds() * 1000), []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"


def _boolean(value: object) -> bool:
    text = str(value).lower()
    if text in _YES | _NO:
        return text in _YES
    raise ValueError(value)


def _number(kind: inspect.IntType | inspect.FloatType, value: object) -> int | float:
    whole = isinstance(kind, inspect.IntType)
    if isinstance(value, bool) or not isinstance(value, int | str | (int if whole else float)):
        raise TypeError(value)
    number = int(value) if whole else float(value)
    low = kind.ge if kind.ge is not None else -_WHOLE_MAX
    high = kind.le if kind.le is not None else _WHOLE_MAX
    if not low <= number <= high:  # nor is NaN
        raise ValueError(value)
    return number


def _custom(cls: type, value: str) -> Any:  # what the kind says
    if cls is SecretUrl:
        return SecretUrl.parse(value)
    if not value.isprintable():
        raise ValueError("control characters")
    if cls is not Path:
        return cls(value)
    try:
        return Path(value).expanduser()
    except RuntimeError:  # ~ of somebody who is not here
        raise ValueError(value) from None


def _one_of(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
