"""The lanes of channels that come and go while the process runs."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from application.kernel.supervision import Tasks
from domain.kernel.errors import Unavailable
from entrypoints.engine.actor import Actor, pause
from entrypoints.engine.telemetry import Telemetry

LOOK_EVERY = 2.0
"""Seconds."""


@dataclass(slots=True, kw_only=True)
class _Running:
    """The actors of one channel."""

    actors: Sequence[Actor]
    tasks: Sequence["asyncio.Task[None]"]
    stopping: asyncio.Event

    def stop(self) -> None:
        self.stopping.set()
        for actor in self.actors:
            actor.stop()


@dataclass(slots=True, kw_only=True)
class LaneFleet:
    """An actor that runs the actors of others: those of each channel that there is now.

    Args:
        channels: the channels there are.
        actors: makes the actors of one.
    """

    channels: Callable[[], Awaitable[Collection[str]]]
    actors: Callable[[str], Sequence[Actor]]
    tasks: Tasks
    telemetry: Telemetry
    every: float = LOOK_EVERY
    _running: dict[str, _Running] = field(default_factory=dict)
    _ending: set["asyncio.Task[None]"] = field(default_factory=set)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """For logs and metrics."""
        return "lanes at run time"

    def stop(self) -> None:
        """Take nothing more, finish what is in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Follow the channels until stopped; then wait for all lanes."""
        try:
            while not self._stopping.is_set():
                try:
                    self._follow(await self.channels())
                except Unavailable as away:
                    self.telemetry.trouble("recurring.waits", actor=self.name, reason=str(away))
                await pause(self.every, self._stopping)
            self._follow(())
            while self._ending:
                await asyncio.wait(set(self._ending))
        except asyncio.CancelledError:
            for task in [*self._ending, *(task for each in self._running.values() for task in each.tasks)]:
                task.cancel()
            raise

    def _follow(self, wanted: Collection[str]) -> None:
        for channel in sorted(set(self._running) - set(wanted)):
            running = self._running.pop(channel)
            running.stop()
            self._ending.update(running.tasks)
            self.telemetry.wide("lanes.ended", channel=channel)
        for channel in sorted(set(wanted) - set(self._running)):
            self._running[channel] = self._started(channel)
            self.telemetry.wide("lanes.begun", channel=channel)

    def _started(self, channel: str) -> _Running:
        stopping = asyncio.Event()
        actors = self.actors(channel)
        tasks = [self.tasks.keep(actor.name, actor.run, stopping=stopping) for actor in actors]
        for task in tasks:
            task.add_done_callback(self._ending.discard)
        return _Running(actors=actors, tasks=tasks, stopping=stopping)
