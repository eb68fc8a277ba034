"""An actor for what has to be done now and then: figures every few seconds, housekeeping every hour."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from domain.kernel.errors import Unavailable
from entrypoints.engine.actor import pause
from entrypoints.engine.telemetry import Telemetry


@dataclass(slots=True, kw_only=True)
class Recurring:
    """Does one thing again and again; when a part is away, next time."""

    name: str
    work: Callable[[], Awaitable[None]]
    every: float
    """Seconds."""
    telemetry: Telemetry
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """At once, then every `every` seconds, until stopped."""
        while not self._stopping.is_set():
            try:
                await self.work()
            except Unavailable as away:
                self.telemetry.trouble("recurring.waits", actor=self.name, reason=str(away))
            await pause(self.every, self._stopping)

    def stop(self) -> None:
        """Do it no more."""
        self._stopping.set()
