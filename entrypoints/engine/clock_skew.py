"""Watches whether this machine's clock agrees with the database's, which alone decides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from entrypoints.engine.telemetry import Telemetry

SKEW_MAX = timedelta(seconds=2)
MEND = "set the clocks of this machine and of the database's by NTP"


class SkewTelemetry(Telemetry, Protocol):
    """A figure beside the common ones."""

    def clock_skew(self, seconds: float) -> None:
        """How far this machine's clock is ahead of the database's."""
        ...


@dataclass(slots=True, kw_only=True)
class ClockSkewWatch:
    """Called every few seconds.

    Args:
        skew: as last measured; None: not yet.
    """

    skew: Callable[[], timedelta | None]
    telemetry: SkewTelemetry
    _reported: bool = False

    async def __call__(self) -> None:
        """Update the figure; log when the clocks differ too much, and when they agree again."""
        skew = self.skew()
        if skew is None:
            return
        self.telemetry.clock_skew(skew.total_seconds())
        if abs(skew) <= SKEW_MAX:
            if self._reported:
                self.telemetry.wide("clock.agrees", seconds=_rounded(skew))
            self._reported = False
        elif not self._reported:
            self._reported = True
            self.telemetry.trouble("clock.skewed", seconds=_rounded(skew), mend=MEND)

    def state(self) -> str | None:
        """For `/readyz`: None while they agree."""
        skew = self.skew()
        if skew is None or abs(skew) <= SKEW_MAX:
            return None
        side = "ahead of" if skew > timedelta() else "behind"
        return f"{abs(_rounded(skew))} s {side} the database's, which decides"


def _rounded(skew: timedelta) -> float:
    return round(skew.total_seconds(), 1)
