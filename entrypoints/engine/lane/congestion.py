"""How many deliveries of a lane may be between lease and call: as many as start promptly.

A congestion window, as TCP has: it doubles while it is full and calls start promptly, and halves when they
have to wait.  So a slow database or slow rendering lets nobody's clearance become too old.  Calls under way
do not count: how long they take is the provider's business (`entrypoints.engine.lane.capacity`).
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class CongestionWindow:
    """Times are seconds between reading the facts of a delivery's gate and the start of its call.

    Args:
        most: the largest window.
        first: the window at the start.
        prompt: calls that start later than this have waited.
    """

    most: int
    first: int = 64
    prompt: float = 0.3
    limit: int = 0
    """The window now, in deliveries."""

    def __post_init__(self) -> None:
        self.limit = min(self.first, self.most)

    def observe(self, waited: float, starting: int) -> None:
        """Learn from one chunk.

        Args:
            waited: the longest wait of its calls.
            starting: how many deliveries of the lane were between lease and call.
        """
        if waited > self.prompt:
            self.limit = max(1, self.limit // 2)
        elif starting * 2 >= self.limit:
            self.limit = min(self.most, self.limit * 2)


class CallStarts:
    """Counts the calls of a chunk that have started; calls `last` with the longest wait, in seconds."""

    __slots__ = ("_calls", "_last", "_waited")

    def __init__(self, calls: int, last: Callable[[float], None]) -> None:
        self._calls, self._last, self._waited = calls, last, 0.0
        if not calls:
            last(0.0)

    def note(self, waited: float) -> None:
        """A call starts, `waited` seconds after the facts of its gate were read."""
        self._calls -= 1
        self._waited = max(self._waited, waited)
        if not self._calls:
            self._last(self._waited)
