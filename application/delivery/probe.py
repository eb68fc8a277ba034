"""Decides whether a lane may consume now; asked before it starts and while it pauses."""

from dataclasses import dataclass
from enum import Enum

from application.channel.ports import Channels
from application.privacy.ports import KeyState
from application.provider.ports import SANDBOX, ProviderChoice
from domain.kernel.channel import Lane, Mode
from domain.kernel.errors import KeyUnavailable


class LanePermission(Enum):
    """What a lane may do."""

    PAUSE = "rest"
    PROBE = "probe"
    """Try one message: a paused provider may be probed now."""
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLane:
    """Reads the channel and asks the provider states; no delivery is touched."""

    channels: Channels
    providers: ProviderChoice
    keys: KeyState

    async def __call__(self, lane: Lane) -> LanePermission:
        """Pause while the channel is paused or disabled, or all its providers are paused.

        Raises:
            StoreUnavailable, KeyUnavailable: the database or a key is not at hand: not now either.
        """
        if self.keys.trouble is not None:
            raise KeyUnavailable(self.keys.trouble)
        found = await self.channels.get(lane.channel)
        if found is None:
            return LanePermission.RUN
        channel = found.value
        if channel.paused or not channel.enabled:
            return LanePermission.PAUSE
        able = (SANDBOX,) if lane.mode is Mode.TEST else channel.providers
        if not self.providers.all_paused(able):
            return LanePermission.RUN
        return LanePermission.PROBE if self.providers.probe_due(able) else LanePermission.PAUSE
