"""Lists over a span of time: filters that no index serves ask for one, and it is bounded."""

from datetime import datetime, timedelta

from domain.kernel.errors import Fault, Invalid
from domain.kernel.moments import clamped

SPAN_MAX, SLACK = timedelta(days=31), timedelta(days=1)
"""Whoever pages through so much may take a while."""
DEMANDS = "`created_after`, at most 31 days before `created_before` (or now)"


def demand_range(
    after: datetime | None, before: datetime | None, *, now: datetime, by: dict[str, bool]
) -> None:
    """Return when there is a bounded range, or nothing that needs one.

    Args:
        by: filters that need a range, and whether each is given.

    Raises:
        Invalid: it is missing, or too long.
    """
    given = [name for name, there in by.items() if there]
    if not given:
        return
    what = f"with {', '.join(given)}"
    if after is None:
        raise Invalid(Fault("?created_after", "missing", f"{what} give {DEMANDS}"))
    end = now if before is None else clamped(before)
    if min(end, now) - clamped(after) > SPAN_MAX + SLACK:
        raise Invalid(Fault("?created_after", "range_too_long", f"{what} it is {DEMANDS}"))
