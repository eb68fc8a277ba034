"""Times that somebody names: brought within what every part of the house can hold."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Ids carry milliseconds from the one on; beyond the other no zone can be applied any more."""


def clamped(time: datetime) -> datetime:
    """The same instant in UTC, or the nearest that can be held.  Nothing of ours is older or younger."""
    if time <= EARLIEST:
        return EARLIEST
    return LATEST if time >= LATEST else time.astimezone(UTC)


def before(now: datetime, span: timedelta) -> datetime:
    """The instant so long before `now`, or the earliest that can be held."""
    return EARLIEST if span >= now - EARLIEST else now - span
