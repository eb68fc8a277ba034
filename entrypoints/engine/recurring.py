"""An actor that does one thing every few seconds or hours: figures, alerts, housekeeping."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from domain.kernel.errors import Unavailable
from entrypoints.engine.actor import pause, unless
from entrypoints.engine.telemetry import Telemetry

FINISH_MAX = 5.0
"""Seconds that work under way may still take when the process stops; then it is cancelled.

Nothing is lost by that: whatever recurs is done again by the next process, as it is after a crash.  But a
receiver of alerts that answers slowly, or a statement that waits for a lock, must not hold up the end.
"""


@dataclass(slots=True, kw_only=True)
class Recurring:
    """Does `work` at once and then every `every` seconds; when a part is away, it tries again next time."""

    name: str
    work: Callable[[], Awaitable[None]]
    every: float
    telemetry: Telemetry
    finish_max: float = FINISH_MAX
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Do it again and again until stopped."""
        while not self._stopping.is_set():
            try:
                await unless(self._stopping, self.work(), patience=self.finish_max)
            except Unavailable as away:
                self.telemetry.trouble("recurring.waits", actor=self.name, reason=str(away))
            await pause(self.every, self._stopping)

    def stop(self) -> None:
        """Do it no more."""
        self._stopping.set()
