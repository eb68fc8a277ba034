"""Times from outside, limited to the range that ids, Python and PostgreSQL can represent."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Ids count milliseconds from the first; after the second a time zone may overflow."""


def clamped(time: datetime) -> datetime:
    """The same instant in UTC, or the nearest that can be represented."""
    if time <= EARLIEST:
        return EARLIEST
    return LATEST if time >= LATEST else time.astimezone(UTC)


def before(now: datetime, span: timedelta) -> datetime:
    """The instant so long before `now`, or the earliest that can be represented."""
    return EARLIEST if span >= now - EARLIEST else now - span
