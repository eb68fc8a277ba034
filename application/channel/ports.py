"""How each channel is run, as operators set it; for `expected` see `application.kernel.versioned`."""

from enum import StrEnum
from typing import Protocol

import msgspec

from application.kernel.versioned import Versioned
from domain.kernel.channel import AddressedBy


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
    addressed_by: AddressedBy | None = None
    """What addresses a recipient; None: the channel is built in, or of the configuration."""


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

    async def remove(self, channel: str, *, expected: int) -> bool:
        """Remove one; False: it is not there.

        Raises:
            Conflict: it has another version.
        """
        ...


class ChannelQueues(Protocol):
    """The queues of channels on the broker.  Held to tests/contract/broker.py."""

    async def make(self, channel: str) -> None:
        """See that all lanes of a channel are there, with their dead letters and their timers.

        Returns when the broker will keep what is put into them.

        Raises:
            BrokerUnavailable: some may be there.
        """
        ...
