"""Remove a provider that was described through the API, and that no channel uses."""

from dataclasses import dataclass

from application.channel.ports import Channels
from application.provider.follow_descriptions import FollowDescriptions
from application.provider.ports import DescribedProviders
from domain.kernel.errors import Fault, Invalid, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDescription:
    """Calls under way end."""

    store: DescribedProviders
    channels: Channels
    follow: FollowDescriptions

    async def __call__(self, name: str, *, expected: int) -> None:
        """Remove it; `expected` is the version the caller has seen.

        Raises:
            NotFound: no such provider.
            Invalid: a channel names it.
            Conflict: it changed meanwhile.
        """
        using = [row.value.channel for row in await self.channels.all() if name in row.value.providers]
        if using:
            detail = f"channel '{using[0]}' names provider '{name}': give it others first"
            raise Invalid(Fault("", "in_use", detail))
        if not await self.store.remove(name, expected=expected):
            raise NotFound(f"no described provider '{name}'")
        await self.follow()
