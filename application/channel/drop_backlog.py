"""Give up what waits on a channel: an act of its own, for disabling a channel throws nothing away."""

from dataclasses import dataclass

from application.channel.ports import Channels
from application.dead_letter.ports import Selection
from application.job.ports import ChannelBacklog, Job, JobKind
from application.job.start import StartJob
from domain.kernel.channel import Mode
from domain.kernel.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class DropBacklog:
    """A job, done in chunks."""

    channels: Channels
    backlog: ChannelBacklog
    start_job: StartJob

    async def count(self, channel: str, mode: Mode) -> int:
        """How many deliveries it would be now.

        Raises:
            NotFound: no such channel.
            Conflict: it runs.
        """
        await self._stands(channel)
        return await self.backlog.count(channel, mode)

    async def __call__(self, channel: str, mode: Mode, *, actor: str, reason: str) -> Job:
        """Begin; what is accepted from now on is not its business.

        Raises:
            NotFound, Conflict: see `count`.
            StoreUnavailable: it may have begun nevertheless.
        """
        await self._stands(channel)
        selection = Selection(mode=mode, channel=channel)
        return await self.start_job(JobKind.DROP, selection, actor=actor, note=reason)

    async def _stands(self, channel: str) -> None:
        found = await self.channels.get(channel)
        if found is None:
            raise NotFound(f"no channel '{channel}'")
        if found.value.enabled and not found.value.paused:
            raise Conflict(f"channel '{channel}' runs: disable or pause it first")
