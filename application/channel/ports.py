"""How each channel is run, as operators set it; for `expected` see `application.kernel.versioned`."""

from enum import StrEnum
from typing import Protocol

import msgspec

from application.kernel.versioned import Versioned


class WhenDisabled(StrEnum):
    """What becomes of new requests while a channel is disabled; what was accepted waits either way."""

    REFUSE = "refuse"
    """They are told so.  Events, which nobody can answer, are accepted and wait."""
    HOLD = "hold"
    """They are accepted and wait."""


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a channel is run; providers are names of `[providers.<name>]` in the configuration: no secrets."""

    channel: str
    enabled: bool = True
    """Off: its deliveries wait, and new requests are refused."""
    when_disabled: WhenDisabled = WhenDisabled.REFUSE
    paused: bool = False
    """On: its deliveries wait."""
    providers: tuple[str, ...] = ("sandbox",)
    """In order of preference."""


class Channels(Protocol):
    """The channel configurations."""

    async def get(self, channel: str) -> Versioned[Channel] | None:
        """One."""
        ...

    async def put(self, channel: Channel, *, expected: int | None) -> Versioned[Channel]:
        """Create or replace."""
        ...

    async def all(self) -> list[Versioned[Channel]]:
        """In name order: there are few."""
        ...
