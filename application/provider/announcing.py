"""What this process has found out about its providers: the others need not find it out themselves."""

from dataclasses import dataclass
from datetime import timedelta

from application.provider.ports import BreakerState, ProviderWatch
from application.provider.steering import ControlMessage, ControlSender

HELD = timedelta(seconds=65)
"""So long the others leave a provider alone: until its breaker has half-opened here, and a little longer.

Then they try it themselves.  This process says before that whether it works again."""
PAUSE_HELD = timedelta(seconds=35)
"""The same of a paused provider: it is probed every thirty seconds at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcing:
    """Implements `ProviderWatch`: reports, and tells the other processes."""

    inner: ProviderWatch
    control: ControlSender

    def provider_paused(self, provider: str, reason: str) -> None:
        """See `ProviderWatch`."""
        self.inner.provider_paused(provider, reason)
        self.control.notify(ControlMessage(provider=provider, held=PAUSE_HELD))

    def provider_resumed(self, provider: str, paused_for: timedelta) -> None:
        """See `ProviderWatch`."""
        self.inner.provider_resumed(provider, paused_for)
        self.control.notify(ControlMessage(provider=provider))

    def breaker_moved(self, provider: str, state: BreakerState) -> None:
        """See `ProviderWatch`."""
        self.inner.breaker_moved(provider, state)
        if state is not BreakerState.HALF_OPEN:
            held = HELD if state is BreakerState.OPEN else None
            self.control.notify(ControlMessage(provider=provider, held=held))
