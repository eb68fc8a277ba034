"""Texts with places in them: `{{ message.address | digits }}`.  They place values and compute nothing.

    text    what is not in {{ }}, as it is
    place   a path, and filters behind it: message.body, message.parts.template, variables.sender
    filter  default('x')  truncate(4096)  digits  lower  upper  text  number  json  base64

There are no loops, conditions or calls, so filling a text takes time linear in what comes out of it, and that
is bounded (`Budget`).  A text that is one place alone is the value itself, whatever its type.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from domain.kernel.json_values import Json

PLACES_MAX = 50
"""Places of one text."""
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_FILTER = re.compile(r"([a-z0-9]+)(?:\((?:(\d{1,7})|'([^']{0,200})')\))?")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")


class Place(msgspec.Struct, frozen=True):
    """Where a value goes."""

    path: tuple[str, ...]
    filters: tuple[tuple[str, int | str | None], ...] = ()


PlacedText = tuple[str | Place, ...]


class TooMuchPlaced(Exception):
    """What comes out is larger than is allowed."""


@dataclass(slots=True)
class Budget:
    """Characters that may still be placed."""

    left: int

    def spend(self, characters: int) -> None:
        """Count what is placed.

        Raises:
            TooMuchPlaced: there is not so much left.
        """
        self.left -= characters
        if self.left < 0:
            raise TooMuchPlaced


def parsed(text: str) -> PlacedText:
    """The parts of a text.

    Raises:
        ValueError: it cannot be read; says where.
    """
    parts: list[str | Place] = []
    at = 0
    while (begin := text.find("{{", at)) >= 0:
        end = text.find("}}", begin)
        if end < 0:
            raise ValueError("a {{ has no }}")
        if begin > at:
            parts.append(text[at:begin])
        parts.append(place(text[begin + 2 : end]))
        at = end + 2
    if at < len(text):
        parts.append(text[at:])
    if sum(isinstance(part, Place) for part in parts) > PLACES_MAX:
        raise ValueError(f"a text has at most {PLACES_MAX} places")
    return tuple(parts)


def place(text: str) -> Place:
    """A place, as it stands between {{ and }}.

    Raises:
        ValueError: it cannot be read.
    """
    path, *filters = [step.strip() for step in text.split("|")]
    if not _PATH.fullmatch(path):
        raise ValueError(f"'{path[:60]}' is no path such as message.body")
    read: list[tuple[str, int | str | None]] = []
    for each in filters:
        found = _FILTER.fullmatch(each)
        if found is None or found[1] not in _FILTERS:
            raise ValueError(f"'{each[:60]}' is none of the filters {', '.join(sorted(_FILTERS))}")
        takes = _ARGUMENTS.get(found[1])
        given: int | str | None = int(found[2]) if found[2] is not None else found[3]
        if not (given is None if takes is None else isinstance(given, takes)):
            raise ValueError(
                f"'{each[:60]}': default takes a text in quotes, truncate a number, others nothing"
            )
        read.append((found[1], given))
    return Place(tuple(path.split(".")), tuple(read))


def value_of(place: Place, values: Mapping[str, Json]) -> Json:
    """The value of a place; None: there is none."""
    found: Json = values
    for step in place.path:
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit():
            found = found[int(step[:4])] if int(step[:4]) < len(found) else None
        else:
            return None
    for name, given in place.filters:
        found = _FILTERS[name](found, given)
    return found


def filled(
    text: PlacedText, values: Mapping[str, Json], budget: Budget, escape: Callable[[str], str] = str
) -> str:
    """The text with its values.

    Args:
        escape: for each value, not for what stands between them.

    Raises:
        TooMuchPlaced: it is too long.
    """
    out = []
    for part in text:
        piece = part if isinstance(part, str) else escape(as_text(value_of(part, values)))
        budget.spend(len(piece))
        out.append(piece)
    return "".join(out)


def as_text(value: Json) -> str:
    """A value as a text has it: nothing for null, JSON for what is no scalar."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).lower()
        case _:
            return msgspec.json.encode(value).decode()


def _number(value: Json, _: object) -> Json:
    text = as_text(value).strip()
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


_FILTERS: Mapping[str, Callable[[Json, int | str | None], Json]] = {
    "default": lambda value, given: given if value in (None, "") else value,
    "truncate": lambda value, given: as_text(value)[: int(given or 0)],
    "digits": lambda value, _: "".join(each for each in as_text(value) if each in "0123456789"),
    "lower": lambda value, _: as_text(value).lower(),
    "upper": lambda value, _: as_text(value).upper(),
    "text": lambda value, _: as_text(value),
    "number": _number,
    "json": lambda value, _: msgspec.json.encode(value).decode(),
    "base64": lambda value, _: base64.b64encode(as_text(value).encode()).decode(),
}
_ARGUMENTS: Mapping[str, type] = {"default": str, "truncate": int}
