"""The database's clock, as it was last heard; the machine's monotonic clock goes on from there.

What one process writes another judges: with as many clocks as machines, the fastest gives up what has just
been accepted, and sends at once what is to wait.
"""

from datetime import UTC, datetime, timedelta

from application.kernel.ports import Clock


class StoreClock:
    """Implements `SharedClock`.  Until the database was heard for the first time, the machine's counts."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._ahead: float | None = None
        """Of the machine's monotonic clock, in seconds since 1970."""

    def now(self) -> datetime:
        """Aware UTC."""
        if self._ahead is None:
            return self._machine.now()
        return datetime.fromtimestamp(self._ahead + self._machine.monotonic(), UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._machine.monotonic()

    def millis(self) -> int:
        """Milliseconds since 1970, for ids."""
        if self._ahead is None:
            return int(self._machine.now().timestamp() * 1000)
        return int((self._ahead + self._machine.monotonic()) * 1000)

    def heard(self, at: datetime, asked: float) -> None:
        """See `SharedClock`.

        Its clock shows `at`, or as much later as the answer took (Cristian 1989).  What we have is moved no
        further than into these bounds, so that it does not waver with the network.
        """
        least = at.timestamp() - self._machine.monotonic()
        most = at.timestamp() - asked
        known = (least + most) / 2 if self._ahead is None else self._ahead
        self._ahead = min(max(known, least), most)

    @property
    def skew(self) -> timedelta | None:
        """How far the machine's clock is ahead of the database's; None: nobody knows yet."""
        return None if self._ahead is None else self._machine.now() - self.now()
