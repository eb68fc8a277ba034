"""Take up what operators have decided about providers, in any process."""

from dataclasses import dataclass

from application.kernel.ports import Clock
from application.provider.steering import ForcedProviders, SteeredProviders
from domain.provider.forcing import Forced


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowForced:
    """Called now and then, and whenever another process says that something has changed."""

    store: ForcedProviders
    states: SteeredProviders
    clock: Clock

    async def __call__(self) -> None:
        """See what stands now.

        Raises:
            StoreUnavailable: what was known stays.
        """
        now = self.clock.now()
        standing = {kept.value.provider: kept.value.at(now) for kept in await self.store.all()}
        self.states.force({name: forced for name, forced in standing.items() if forced is not Forced.AUTO})
