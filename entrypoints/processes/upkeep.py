"""An actor for what has to be done now and then: figures every few seconds, housekeeping every hour."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from config.container import Container
from domain.kernel.errors import Unavailable
from entrypoints.actors.actor import Telemetry, pause
from entrypoints.actors.alarm import Alarm, ProviderAlarm
from entrypoints.actors.chaser import Chaser, LaneAlarm, LaneFigures

Work = tuple[str, Callable[[], Awaitable[None]], float]
LEASES_EVERY, PROVIDERS_EVERY = 1.0, 2.0
ALERTS_EVERY, OVERDUE_EVERY, LANES_EVERY = 2.0, 5.0, 10.0


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


def of_lanes(container: Container, telemetry: Telemetry) -> list[Work]:
    """What a process does now and then because it delivers."""
    delivering = container.delivering
    alarm = ProviderAlarm(tell=delivering.tell_of_providers(), telemetry=telemetry)
    return [
        ("leases", delivering.keep_leases(), LEASES_EVERY),
        ("provider alerts", alarm, PROVIDERS_EVERY),
    ]


def of_operators(container: Container, telemetry: LaneFigures) -> list[Work]:
    """What is late, and what has died: see to it, and say so."""
    operating = container.operating
    return [
        ("alerts", Alarm(tell=operating.tell_of_letters(), telemetry=telemetry), ALERTS_EVERY),
        ("overdue", Chaser(chase=operating.chase_overdue(), telemetry=telemetry), OVERDUE_EVERY),
        ("lanes", LaneAlarm(tell=operating.tell_of_lanes(), telemetry=telemetry), LANES_EVERY),
    ]
