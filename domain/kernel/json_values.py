"""What a JSON value must not contain: PostgreSQL or a template would refuse it, and its neighbours with it.

Refused: NUL, lone surrogates, numbers beyond a double, more than 20 levels.
"""

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

from domain.kernel.errors import Fault

Json: TypeAlias = Any  # text, number, boolean, null, list or object: msgspec takes no type that names itself
"""A value of JSON as somebody else gave it; it is looked at before it is used."""
DEPTH_MAX = 20


def needs_value_check(body: bytes) -> bool:
    """Whether a body that msgspec could decode needs the long look: cheap, and never wrongly False.

    msgspec itself refuses lone surrogates and overflowing numbers; NUL and depth are left.
    """
    if b"\\u0000" in body:
        return True
    if body.count(b"{") + body.count(b"[") <= DEPTH_MAX:
        return False
    brackets = body.translate(None, delete=_NO_BRACKETS)
    for _ in range(DEPTH_MAX // 2):  # each round takes off two levels at most
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return bool(brackets)


_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")


def below(at: str, step: str | int) -> str:
    """The JSON pointer (RFC 6901) of a member or an item; one that would grow too long ends in `/…`.

    Whoever writes names half a body long must not have them copied for every item beneath.
    """
    if at.endswith("/…"):
        return at
    if isinstance(step, str):
        readable = step[:_POINTER_MAX].encode(errors="replace").decode()  # half a surrogate pair is not
        step = readable.replace("~", "~0").replace("/", "~1")
    pointer = f"{at}/{step}"
    return pointer if len(pointer) < _POINTER_MAX else f"{at}/…"


_POINTER_MAX = 500


def value_faults(value: object, at: str = "", depth: int = 1) -> Iterator[Fault]:
    """Every fault of a plain value, pointers first to last."""
    match value:
        case str():
            yield from _text(value, at, "the text")
        case float() if not math.isfinite(value):
            yield Fault(at, "number_range", "the number is too large")
        case dict() | list() if depth > DEPTH_MAX:
            yield Fault(at, "too_deep", f"more than {DEPTH_MAX} levels")
        case dict():
            for name, member in value.items():
                faults = list(_text(name, at, "the name of a member"))
                yield from faults
                if not faults:  # a name that cannot be written cannot stand in a pointer either
                    yield from value_faults(member, below(at, name), depth + 1)
        case list():
            for n, item in enumerate(value):
                if item.__class__ not in _ALWAYS_FIT:
                    yield from value_faults(item, below(at, n), depth + 1)
        case _:
            return


_ALWAYS_FIT = (int, bool, type(None))


def _text(value: str, at: str, what: str) -> Iterator[Fault]:
    if "\0" in value:
        yield Fault(at, "nul", f"{what} contains U+0000")
    try:
        value.encode()
    except UnicodeEncodeError:
        yield Fault(at, "surrogate", f"{what} contains half of a surrogate pair")
