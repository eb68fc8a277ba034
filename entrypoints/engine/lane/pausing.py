"""Why a lane rests, and how long next: longer each time, until work succeeds."""

import asyncio
from dataclasses import dataclass, field

from entrypoints.engine.actor import pause
from entrypoints.engine.telemetry import Telemetry


@dataclass(slots=True, kw_only=True)
class Rest:
    """One lane's; `shortest` and `longest` are seconds."""

    lane: str
    telemetry: Telemetry
    shortest: float = 0.2
    longest: float = 2.0
    halt: asyncio.Event = field(default_factory=asyncio.Event)
    """Stopping or in trouble: what waits for messages must wake, for none may come."""
    reason: str | None = None
    _wait: float = 0.0

    def because(self, reason: str) -> None:
        """There is trouble: take nothing more for a while."""
        self.reason = reason
        self.halt.set()

    def over(self) -> None:
        """Work has succeeded: the next rest is a short one."""
        self._wait = 0.0

    async def take(self, stopping: asyncio.Event) -> None:
        """Say what the trouble was, if any, and wait."""
        if stopping.is_set():
            return
        if self.reason is not None:
            self.telemetry.trouble("lane.rests", lane=self.lane, reason=self.reason)
            self.reason = None
            self.halt.clear()
        self._wait = min(max(self._wait * 2, self.shortest), self.longest)
        await pause(self._wait, stopping)
