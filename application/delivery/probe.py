"""May a lane consume now?  Asked before it begins and while it rests: resting costs no redeliveries."""

from dataclasses import dataclass

from application.ports.catalog import Channels
from domain.kernel.channel import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLane:
    """One small read."""

    channels: Channels

    async def __call__(self, lane: Lane) -> bool:
        """False while the channel is paused.

        Raises:
            StoreUnavailable: the database is away: not now either.
        """
        found = await self.channels.get(lane.channel)
        return found is None or not found.value.paused
