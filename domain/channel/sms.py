"""The text of an SMS: its encoding, its segments, and how to keep it out of UCS-2.

    encoding   in one segment          in several           what takes two places
    GSM-7      160 septets             153 septets each     ^ { } \\ [ ] ~ | € and form feed
    UCS-2      70 code units           67 code units each   characters above U+FFFF

Each segment is paid for.  One character outside GSM-7 turns the whole text into UCS-2 (3GPP TS 23.038).
"""

from enum import StrEnum

import msgspec

SEGMENTS_MAX = 10
"""Of one text: what longer ones cost is rarely meant, and providers cut or refuse them."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each is sent as an escape and a second septet."""
_SURROGATES = 0x10000
"""The first code point that is two code units."""

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2039\u203a`´", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033«»", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\t\u00a0\u1680\u202f\u205f\u3000", " "),
        **dict.fromkeys(map(chr, range(0x2000, 0x200B)), " "),  # spaces of every width
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),  # what shows nothing
        **dict.fromkeys("\u2028\u2029", "\n"),
        "\u2026": "...",
        "\u2022": "*",
        "\u2044": "/",
        "×": "x",
    }
)


class SmsEncoding(StrEnum):
    """How a text goes over the air."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


SINGLE = {SmsEncoding.GSM7: 160, SmsEncoding.UCS2: 70}
"""Places of a text that fits into one segment."""
EACH = {SmsEncoding.GSM7: 153, SmsEncoding.UCS2: 67}
"""Places of each segment of a longer one: the rest says which belong together."""


class Foreign(msgspec.Struct, frozen=True):
    """The first character of a text that GSM-7 does not have."""

    character: str
    at: int
    """Its place in the text; 0 is the first."""


class SmsSegments(msgspec.Struct, frozen=True):
    """A text as it is sent and paid for."""

    encoding: SmsEncoding
    parts: tuple[str, ...]
    """The text of each segment; at least one, which is empty when the text is."""
    foreign: Foreign | None
    """Why it is UCS-2; None: it is not."""


def segments(text: str) -> SmsSegments:
    """Cut a text into segments; no character of two places is split."""
    foreign = first_foreign(text)
    encoding = SmsEncoding.GSM7 if foreign is None else SmsEncoding.UCS2
    places = [_places(character, encoding) for character in text]
    if sum(places) <= SINGLE[encoding]:
        return SmsSegments(encoding, (text,), foreign)
    parts: list[str] = []
    start = used = 0
    for at, taken in enumerate(places):
        if used + taken > EACH[encoding]:
            parts.append(text[start:at])
            start, used = at, 0
        used += taken
    return SmsSegments(encoding, (*parts, text[start:]), foreign)


def first_foreign(text: str) -> Foreign | None:
    """The first character that makes it UCS-2; None: it is GSM-7."""
    for at, character in enumerate(text):
        if character not in _BASIC and character not in _EXTENSION:
            return Foreign(character, at)
    return None


def first_lasting(text: str) -> Foreign | None:
    """The first character that GSM-7 does not have and no plain one stands for; None: there is none."""
    for at, character in enumerate(text):
        if first_foreign(character.translate(_PLAIN)):
            return Foreign(character, at)
    return None


def plain(text: str) -> str:
    """The text with plain characters for typographic ones, if that makes it GSM-7; else as it is.

    Quotes, dashes, an ellipsis, a bullet, spaces that do not break, and what shows nothing.  No letter is
    replaced by another one.  It never has more segments than before.
    """
    if first_foreign(text) is None:
        return text
    replaced = text.translate(_PLAIN)
    if first_foreign(replaced) or len(segments(replaced).parts) > len(segments(text).parts):
        return text
    return replaced


def _places(character: str, encoding: SmsEncoding) -> int:
    if encoding is SmsEncoding.GSM7:
        return 2 if character in _EXTENSION else 1
    return 2 if ord(character) >= _SURROGATES else 1
