"""Text from outside: it may contain any character, whoever wrote it."""

import re

_BREAK = re.compile(r"\s*[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]\s*")
"""Characters that end a line for some server, or are not allowed in a header, and the spaces around them."""

HIDDEN = r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
"""What moves a cursor, ends a line, turns the reading direction or cannot be seen: for a class of a regular
expression, as Python and ECMA-262 both read it."""
UNSEEN = "no control characters, and none that cannot be seen"
_HIDDEN = re.compile(f"[{HIDDEN}]")
_JOINERS = str.maketrans("", "", "\u200c\u200d")


def hides(said: str, *, joiners: bool = False) -> bool:
    """Whether a name or an id contains hidden or misleading characters.

    Args:
        joiners: allow the zero-width joiners that some scripts and emoji need.
    """
    if said.isascii() and said.isprintable():
        return False
    return _HIDDEN.search(said.translate(_JOINERS) if joiners else said) is not None


def storable(said: str | None) -> str | None:
    """The same text without NUL and lone surrogates, for which UTF-8 and PostgreSQL have no room."""
    if said is None or (said.isascii() and "\0" not in said):
        return said
    return said.encode(errors="replace").decode().replace("\0", "")


def on_one_line(said: str) -> str:
    """The same text for a terminal or a log: line ends as spaces, what moves a cursor or hides as escapes."""
    plain = " ".join(said.split())
    return plain if plain.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in plain)


def unbroken(said: str) -> str:
    """The same text on one line: breaks and other control characters become spaces, none at the ends."""
    return said if said.isprintable() else _BREAK.sub(" ", said).strip()
