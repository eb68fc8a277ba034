"""What a provider knows of a message whose call it did not answer."""

from datetime import timedelta

import msgspec


class Found(msgspec.Struct, frozen=True):
    """It has the message: it was sent."""

    reference: str
    """As in `Accepted`."""


class Absent(msgspec.Struct, frozen=True):
    """It does not know the message; unless it learns of messages late, it was not sent."""


class Unclear(msgspec.Struct, frozen=True):
    """It could not be asked, or its answer says neither."""

    reason: str


Finding = Found | Absent | Unclear


class Certainty(msgspec.Struct, frozen=True, kw_only=True):
    """How a kind of provider lets us know what became of a call without an answer."""

    lookup_after: timedelta | None = None
    """It can be asked, and so long after a call it certainly knows a message that it has; None: it cannot."""
    repeat_within: timedelta | None = None
    """Repeating the call unchanged within this sends nothing twice and is answered like the first; None: it
    would."""
