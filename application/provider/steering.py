"""Ports by which operators and other processes steer the providers of this one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from application.broker.ports import Subscription
from application.kernel.versioned import Versioned
from domain.provider.forcing import Forced, ForcedProvider


class ForcedProviders(Protocol):
    """What operators have decided.  Held to tests/contract/catalog.py."""

    async def all(self) -> list[Versioned[ForcedProvider]]:
        """In name order: there are few."""
        ...

    async def put(self, forced: ForcedProvider) -> Versioned[ForcedProvider]:
        """Create or replace; the last one counts."""
        ...


class SteeredProviders(Protocol):
    """The providers of this process, as others steer them."""

    def force(self, forced: Mapping[str, Forced]) -> None:
        """What operators have decided, of all providers for which they have decided anything."""
        ...

    def hold(self, provider: str, held: timedelta | None) -> None:
        """Another process leaves it alone so long (None: it calls it again), and so does this one."""
        ...

    def stopped(self) -> Mapping[str, str]:
        """The providers that are not called now, by name, and why: `forced`, `paused`, `breaker`, `held`."""
        ...


class ControlMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one process tells all others of a provider."""

    provider: str
    held: timedelta | None = None
    """It is not called here: leave it alone so long.  None: it is called again."""
    forced: bool = False
    """An operator has decided something: look."""
    sender: UUID | None = None
    """The process that says so: it knows, and goes on as its own breaker says."""


class ControlSender(Protocol):
    """Tells the other processes, as far as they can be reached."""

    def notify(self, message: ControlMessage) -> None:
        """Soon, without waiting; it may be lost."""
        ...


class ControlExchange(Protocol):
    """Reaches every process that listens."""

    async def publish(self, body: bytes) -> None:
        """To all that listen now, this one too.

        Raises:
            BrokerUnavailable: it was not taken.
        """
        ...

    async def subscribe(self) -> Subscription:
        """What is published from now on.

        Raises:
            BrokerUnavailable: there is no connection.
        """
        ...
