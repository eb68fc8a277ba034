"""Times from outside are brought within what can be held; none reaches arithmetic that it would break."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.kernel.moments import EARLIEST, LATEST, before, clamped

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
EAST, WEST = (timezone(timedelta(hours=hours)) for hours in (14, -14))


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (datetime.min.replace(tzinfo=EAST), EARLIEST),
        (datetime.min.replace(tzinfo=UTC), EARLIEST),
        (EARLIEST - timedelta(microseconds=1), EARLIEST),
        (datetime.max.replace(tzinfo=WEST), LATEST),
        (datetime.max.replace(tzinfo=UTC), LATEST),
        (datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))), NOW),
    ],
)
def test_a_time_is_held_as_the_nearest_that_can_be(given: datetime, held: datetime) -> None:
    assert clamped(given) == held
    assert clamped(given).tzinfo is UTC


@pytest.mark.parametrize("span", [timedelta(days=40_000), timedelta.max])
def test_longer_ago_than_anything_is_the_earliest(span: timedelta) -> None:
    assert before(NOW, span) == EARLIEST


def test_ago_is_ago() -> None:
    assert before(NOW, timedelta(hours=2)) == NOW - timedelta(hours=2)
