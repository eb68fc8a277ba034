"""Remove a channel that the API has made: disabled for a while, and nothing waits on it."""

from dataclasses import dataclass
from datetime import timedelta

from application.channel.known_channels import KnownChannels
from application.channel.open_channels import OpenChannels
from application.channel.ports import Channel, Channels, WhenDisabled
from application.job.ports import ChannelBacklog
from application.kernel.ports import Clock
from application.kernel.versioned import Versioned
from domain.kernel.channel import Mode
from domain.kernel.errors import Fault, Invalid, NotFound

SETTLED = timedelta(seconds=10)
"""So long it must have been disabled: every process has seen it by then, and accepts nothing for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveChannel:
    """Its queues stay on the broker, empty, and its notifications in the lists."""

    channels: Channels
    backlog: ChannelBacklog
    open: OpenChannels
    known: KnownChannels
    clock: Clock

    async def __call__(self, channel: str, *, expected: int) -> None:
        """Remove it; `expected` is the version the caller has seen.

        Raises:
            NotFound: no such channel.
            Invalid: it is not the API's, runs, is disabled too recently, or has work.
            Conflict: it changed meanwhile.
        """
        found = await self.channels.get(channel)
        if found is None:
            raise NotFound(f"no channel '{channel}'")
        if (why := await self._needed(found)) is not None:
            raise Invalid(Fault("", "needed", f"channel '{channel}' {why}"))
        await self.channels.remove(channel, expected=expected)
        self.open.forget()
        await self.open.look()

    async def _needed(self, found: Versioned[Channel]) -> str | None:
        """Why it must stay; None: it need not."""
        channel = found.value
        if channel.addressed_by is None or self.known.configured(channel.channel):
            return "is not made by the API: disable it instead"
        if channel.enabled or channel.when_disabled is not WhenDisabled.REFUSE:
            return "takes requests: disable it first, with whenDisabled refuse"
        if self.clock.now() - found.updated_at < SETTLED:
            return f"was changed just now: come again in {SETTLED.seconds} s"
        if sum([await self.backlog.count(channel.channel, mode) for mode in Mode]):
            return f"has deliveries that wait: POST /api/channels/{channel.channel}/drop first"
        return None
