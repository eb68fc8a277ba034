"""How many deliveries of a lane may be on their way to their calls: as many as start promptly.

Grows by doubling while it is the bound and calls start promptly, halves when they wait (as TCP does), so that
a slow database or much to render lets nobody's clearance become too old.  Calls under way do not count: they
may take their time (`entrypoints.engine.lane.capacity`).
"""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Window:
    """`waited` is the time between the facts of the gate and the start of the call, in seconds."""

    most: int
    first: int = 64
    prompt: float = 0.3
    limit: int = 0

    def __post_init__(self) -> None:
        self.limit = min(self.first, self.most)

    def note(self, waited: float, starting: int) -> None:
        """Learn from one batch: the longest wait of its calls, and how full the window was."""
        if waited > self.prompt:
            self.limit = max(1, self.limit // 2)
        elif starting * 2 >= self.limit:
            self.limit = min(self.most, self.limit * 2)
