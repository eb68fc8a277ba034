"""Formats dates without strftime, which depends on the locale and makes a huge text of "%999999999d"."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_PARTS: dict[str, Callable[[datetime], str]] = {
    "Y": lambda moment: str(moment.year),
    "y": lambda moment: f"{moment.year % 100:02}",
    "m": lambda moment: f"{moment.month:02}",
    "d": lambda moment: f"{moment.day:02}",
    "-d": lambda moment: str(moment.day),
    "H": lambda moment: f"{moment.hour:02}",
    "I": lambda moment: f"{moment.hour % 12 or 12:02}",
    "M": lambda moment: f"{moment.minute:02}",
    "S": lambda moment: f"{moment.second:02}",
    "p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "a": lambda moment: WEEKDAYS[moment.weekday()][:3],
    "A": lambda moment: WEEKDAYS[moment.weekday()],
    "b": lambda moment: MONTHS[moment.month - 1][:3],
    "B": lambda moment: MONTHS[moment.month - 1],
    "%": lambda _: "%",
}
DIRECTIVES = " ".join(f"%{name}" for name in _PARTS)
FORM_MAX = 100
_PIECE = re.compile(r"%(-d|.?)|[^%]+", re.DOTALL)


def spoken(moment: datetime, form: str) -> str:
    """A date or time by a format of strftime's directives, with English names.

    Raises:
        ValueError: a directive that is not known, or too long a format.
    """
    return "".join([piece if isinstance(piece, str) else piece(moment) for piece in _plan(form)])


@lru_cache(256)
def _plan(form: str) -> list[str | Callable[[datetime], str]]:
    if len(form) > FORM_MAX:
        raise ValueError(f"a format has at most {FORM_MAX} characters")
    try:
        return [match[0] if match[1] is None else _PARTS[match[1]] for match in _PIECE.finditer(form)]
    except KeyError:
        raise ValueError(f"the format knows {DIRECTIVES}") from None
