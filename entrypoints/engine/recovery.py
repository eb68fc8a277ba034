"""The actor that checks, at start and after each reconnect, whether the broker still has its data."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from application.recovery.recover import (
    FirstMarker,
    Intact,
    RecoverBroker,
    RecoveringElsewhere,
    Reissued,
    TopologyMissing,
)
from domain.kernel.errors import Unavailable
from entrypoints.engine.actor import pause, unless
from entrypoints.engine.telemetry import Telemetry

MEND = (
    "if other queues answer and this stays: delete queue posthorn.marker.*, everything is issued again then"
)
"""A broker killed within a second of making a queue may never answer for it again (seen with 3.10.8)."""


@dataclass(slots=True, kw_only=True)
class RecoveryActor:
    """Checks until there is an answer, then waits for the next connection.

    Args:
        session: the number of the present connection; None: there is none.
        every: seconds between two looks at the connection.
        again: seconds until a check without an answer is repeated.
        finish_max: seconds that a check, or issuing everything again, may still take when the process stops.
            Then it is cancelled, and another process goes on from there, as after a crash.
    """

    recover: RecoverBroker
    session: Callable[[], int | None]
    telemetry: Telemetry
    every: float = 0.5
    again: float = 2.0
    finish_max: float = 5.0
    name: str = "recovery"
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Check no more."""
        self._stopping.set()

    async def run(self) -> None:
        """Check until stopped."""
        seen: int | None = None
        while not self._stopping.is_set():
            session = self.session()
            if session is None or session == seen:
                await pause(self.every, self._stopping)
            elif await self._known():
                seen = session
            else:
                await pause(self.again, self._stopping)

    async def _known(self) -> bool:
        try:
            found = await unless(self._stopping, self.recover(), patience=self.finish_max)
        except Unavailable as away:
            self.telemetry.trouble("broker.unchecked", reason=str(away), mend=MEND)
            return False
        match found:
            case Intact():
                self.telemetry.wide("broker.intact")
            case FirstMarker():
                self.telemetry.wide("broker.marked")
            case Reissued():
                self.telemetry.trouble(
                    "broker.reissued", pointers=found.pointers, dead_letters=found.dead_letters
                )
            case TopologyMissing(what=what):
                self.telemetry.trouble("broker.lacking", lacking=what, mend="posthorn topology apply")
                return False
            case RecoveringElsewhere() | None:
                return False
        return True
