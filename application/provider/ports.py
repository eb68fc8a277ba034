"""A provider, as the delivery engine sees it."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from domain.delivery.outcome import Outcome


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message ready to go."""

    delivery: UUID
    attempt: int
    channel: str
    type: str
    """The notification's type, for the provider's own statistics."""
    address: str
    name: str | None = None
    """The recipient's display name."""
    subject: str | None = None
    body: str | None = None
    html_body: str | None = None


class Gateway(Protocol):
    """Carries messages of a channel.  Held to tests/contract/gateway.py.

    Returns an outcome and raises nothing of its own; a cancelled call is the caller's doing.  Failure before
    the request went out, or an error answer, is definite; no answer after its first byte is `Unknown`.
    """

    async def send(self, message: Message) -> Outcome:
        """Make one call, within the gateway's own time-out."""
        ...


class Gateways(Protocol):
    """The configured providers."""

    def named(self, provider: str) -> Gateway | None:
        """The gateway of a provider, or None when configuration has no such provider."""
        ...


class ProviderWatch(Protocol):
    """Hears when a provider begins to rest, and when it goes on."""

    def provider_rests(self, provider: str, reason: str) -> None:
        """Our account or configuration is refused: nothing is sent by it until a probe is taken."""
        ...

    def provider_goes_on(self, provider: str, rested: timedelta) -> None:
        """A probe was taken."""
        ...
