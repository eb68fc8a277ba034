"""A clock that a test moves by hand."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """Implements `Clock`."""

    def __init__(self) -> None:
        self._since_start = timedelta()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + self._since_start

    def monotonic(self) -> float:
        return self._since_start.total_seconds()

    def go_on(self, seconds: float) -> None:
        """So much later."""
        self._since_start += timedelta(seconds=seconds)
