"""Why a lane pauses, and for how long: each pause is twice as long as the last, until work succeeds."""

import asyncio
from dataclasses import dataclass, field

from entrypoints.engine.actor import pause
from entrypoints.engine.telemetry import Telemetry


@dataclass(slots=True, kw_only=True)
class LanePauses:
    """The pauses of one lane.

    Args:
        shortest, longest: seconds of a pause.
    """

    lane: str
    telemetry: Telemetry
    shortest: float = 0.2
    longest: float = 2.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the lane stops or is to pause: what waits for messages must wake, for none may come."""
    reason: str | None = None
    """Why the lane is to pause; None: it is not."""
    _last: float = 0.0

    def ask(self, reason: str) -> None:
        """Take nothing more for a while."""
        self.reason = reason
        self.wake.set()

    def succeeded(self) -> None:
        """Work has succeeded: the next pause is a short one."""
        self._last = 0.0

    async def wait(self, stopping: asyncio.Event) -> None:
        """Log the reason, if there is one, and pause.  Returns at once when the lane stops."""
        if stopping.is_set():
            return
        if self.reason is not None:
            self.telemetry.trouble("lane.pauses", lane=self.lane, reason=self.reason)
            self.reason = None
            self.wake.clear()
        self._last = min(max(self._last * 2, self.shortest), self.longest)
        await pause(self._last, stopping)
