"""Remembers that the database is away, so that one request tries it again, not all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from application.kernel.ports import Clock


@dataclass(slots=True, kw_only=True)
class StoreOutage:
    """What one process knows of the database being away.

    Args:
        retry_after: how long no request tries the database after one failed.
        silent: why the database cannot answer now, or None (`adapters.postgres.core.liveness`).
    """

    clock: Clock
    silent: Callable[[], str | None] = lambda: None
    retry_after: timedelta = timedelta(seconds=1)
    _asked: float | None = None
    """When a request last tried it and failed, or still waits (monotonic seconds); None: it answers."""

    def may_ask(self) -> bool:
        """Whether the caller may use the database; it then calls `began` or `ended`."""
        if self.silent() is not None:
            return False
        if self._asked is None:
            return True
        now = self.clock.monotonic()
        if now - self._asked < self.retry_after.total_seconds():
            return False
        self._asked = now
        return True

    def began(self) -> None:
        """Record that the database did not answer."""
        self._asked = self.clock.monotonic()

    def ended(self) -> None:
        """Record that the database answered."""
        self._asked = None
