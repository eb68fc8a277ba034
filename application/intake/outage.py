"""Remembers for a moment that the store is away: one request finds out whether it is back, not all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from application.kernel.ports import Clock


@dataclass(slots=True, kw_only=True)
class StoreOutage:
    """One process's.

    Args:
        moment: how long nobody asks after somebody has asked in vain.
        silent: why nobody need ask at all, or None (`adapters.postgres.core.pulse`).
    """

    clock: Clock
    silent: Callable[[], str | None] = lambda: None
    retry_after: timedelta = timedelta(seconds=1)
    _asked: float | None = None
    """When it was last asked in vain, or by who still waits (monotonic seconds); None: it is there."""

    def may_ask(self) -> bool:
        """Whether the caller should ask the store, and then tell what came of it."""
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
        """It did not answer."""
        self._asked = self.clock.monotonic()

    def ended(self) -> None:
        """It answered."""
        self._asked = None
