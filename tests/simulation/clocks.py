"""Clocks of machines: some are minutes off.  The world's is the database's, and true."""

from datetime import datetime, timedelta
from random import Random

from tests.support.virtual_time import VirtualClock

AHEAD = (0, 0, 3, -3, 10, -10, 600, -600, 1200, -1200)
"""Seconds."""


class MachineClock:
    """Implements `Clock`."""

    def __init__(self, true: VirtualClock, chance: Random) -> None:
        self._true = true
        self._ahead = timedelta(seconds=chance.choice(AHEAD))

    def now(self) -> datetime:
        return self._true.now() + self._ahead

    def monotonic(self) -> float:
        return self._true.monotonic()
