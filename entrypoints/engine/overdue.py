"""Issues late deliveries again, every few seconds."""

from dataclasses import dataclass

from application.outbox.chase import ChaseOverdue
from entrypoints.engine.telemetry import Telemetry

LOOKS_MAX = 20
"""Looks in a row; a long walk over the table goes on next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueWatch:
    """Called every few seconds."""

    chase: ChaseOverdue
    telemetry: Telemetry

    async def __call__(self) -> None:
        """Look until there is nothing more, and issue again what is late.

        Raises:
            Unavailable: it is tried again next time.
        """
        for _ in range(LOOKS_MAX):
            chased = await self.chase()
            for lane, count in chased.issued.items():
                self.telemetry.trouble("deliveries.issued_again", lane=lane.queue, deliveries=count)
            if not chased.more:
                return
