"""Issues late deliveries again, every few seconds."""

from dataclasses import dataclass

from application.outbox.reissue_overdue import ReissueOverdue
from entrypoints.engine.telemetry import Telemetry

LOOKS_MAX = 20
"""In a row; a long walk goes on next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueWatch:
    """Called every few seconds."""

    reissue: ReissueOverdue
    telemetry: Telemetry

    async def __call__(self) -> None:
        """Look until nothing is left to be looked at.

        Raises:
            Unavailable: next time.
        """
        for _ in range(LOOKS_MAX):
            reissued = await self.reissue()
            for lane, count in reissued.issued.items():
                self.telemetry.trouble("deliveries.issued_again", lane=lane.queue, deliveries=count)
            if not reissued.more:
                return
