"""A machine's clock that parts from the database's is told of once, and shown as long as it does."""

from datetime import timedelta

import pytest

from entrypoints.engine.clock_skew import MEND, ClockSkewWatch
from tests.support.telemetry import RecordedTelemetry


class Figures(RecordedTelemetry):
    """Remembers the figure, too."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def clock_skew(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def test_it_is_measured_always_and_said_when_it_changes() -> None:
    telemetry, skew = Figures(), [None, 0.1, -1.9, -2.1, -600.04, 3.0, 0.0, 2.5]
    now: list[timedelta | None] = []
    watch = ClockSkewWatch(skew=lambda: now[-1], telemetry=telemetry)
    for seconds in skew:
        now.append(None if seconds is None else timedelta(seconds=seconds))
        await watch()
    assert telemetry.seconds == skew[1:]
    assert telemetry.troubled_by("clock.skewed") == [
        {"seconds": -2.1, "mend": MEND},
        {"seconds": 2.5, "mend": MEND},
    ]
    assert telemetry.wides == [("clock.agrees", {"seconds": 0.0})]


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (None, None),
        (2.0, None),
        (-2.0, None),
        (2.1, "2.1 s ahead of the database's, which decides"),
        (-1200.0, "1200.0 s behind the database's, which decides"),
    ],
)
def test_what_readyz_shows(seconds: float | None, state: str | None) -> None:
    skew = None if seconds is None else timedelta(seconds=seconds)
    assert ClockSkewWatch(skew=lambda: skew, telemetry=Figures()).state() == state
