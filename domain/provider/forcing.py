"""What an operator has decided about a provider, whatever its breaker says."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Forced(StrEnum):
    """How a provider stands because somebody says so."""

    OPEN = "open"
    """It is not called."""
    CLOSED = "closed"
    """It is called, however often it fails and whatever it refuses."""
    AUTO = "auto"
    """As its breaker says."""


class ForcedProvider(msgspec.Struct, frozen=True, kw_only=True):
    """What stands about one provider account, and who said so."""

    provider: str
    forced: Forced = Forced.AUTO
    reason: str = ""
    actor: str = ""
    until: datetime | None = None
    """Aware UTC; from then on it is `AUTO`.  None: until somebody says otherwise."""

    def at(self, now: datetime) -> Forced:
        """How it stands now."""
        over = self.until is not None and self.until <= now
        return Forced.AUTO if over else self.forced
