"""Decide about a provider: not to be called, to be called whatever happens, or as its breaker says."""

from dataclasses import dataclass

from application.kernel.ports import Clock
from application.kernel.versioned import Versioned
from application.provider.follow_forced import FollowForced
from application.provider.ports import Gateways
from application.provider.steering import ControlMessage, ControlSender, ForcedProviders
from domain.kernel.errors import Fault, Invalid, NotFound
from domain.kernel.text import UNSEEN, hides
from domain.provider.forcing import ForcedProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceProvider:
    """It stands in a row, and every process learns of it at once, or when it looks next."""

    store: ForcedProviders
    gateways: Gateways
    follow: FollowForced
    control: ControlSender
    clock: Clock

    async def __call__(self, given: ForcedProvider) -> Versioned[ForcedProvider]:
        """Write it down and pass it on.

        Raises:
            NotFound: no such provider.
            Invalid: it would end before it begins, or the reason has characters that nobody sees.
            StoreUnavailable: nothing has changed.
        """
        if self.gateways.named(given.provider) is None:
            raise NotFound(f"no provider '{given.provider}' is configured or described")
        faults = []
        if given.until is not None and given.until <= self.clock.now():
            faults.append(Fault("/until", "unlikely_time", "a time to come"))
        if hides(given.reason):
            faults.append(Fault("/reason", "bad_character", UNSEEN))
        if faults:
            raise Invalid(*faults)
        saved = await self.store.put(given)
        await self.follow()
        self.control.notify(ControlMessage(provider=given.provider, forced=True))
        return saved
