"""Runs actors, restarts what crashes, drains all when told to stop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from application.kernel.supervision import Tasks
from entrypoints.engine.actor import Actor
from entrypoints.engine.telemetry import Telemetry

CANCEL_MAX = 1.0
"""Seconds for an actor that is cancelled: what it waits for may be what is away."""


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """One for all: each actor is restarted on its own, with growing pauses.

    Actors stop in the given order of groups: those that take work before those that carry it away.
    """

    groups: Sequence[Sequence[Actor]]
    telemetry: Telemetry
    tasks: Tasks
    grace: float = 30.0
    """Seconds for draining; then what is left is cancelled."""
    cancel_max: float = CANCEL_MAX
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Begin to drain; `run` returns when done."""
        self._stopping.set()

    async def run(self) -> bool:
        """Run until stopped; True when everything drained in time."""
        tasks = [
            [self.tasks.keep(actor.name, actor.run, stopping=self._stopping) for actor in group]
            for group in self.groups
        ]
        await self._stopping.wait()
        deadline = asyncio.get_running_loop().time() + self.grace
        drained = True
        for group, running in zip(self.groups, tasks, strict=True):
            for actor in group:
                actor.stop()
            left = max(0.1, deadline - asyncio.get_running_loop().time())
            if running:
                await asyncio.wait(running, timeout=left)
                late = [task for task in running if not task.done()]
                for task in late:
                    self.telemetry.trouble("actor.cancelled", actor=task.get_name())
                    task.cancel()
                if late:
                    await asyncio.wait(late, timeout=self.cancel_max)
                drained = drained and not late
        return drained
