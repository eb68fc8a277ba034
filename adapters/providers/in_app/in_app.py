"""Messages in the shop's own app: nobody is called, for the message is where its reader will look for it.

The delivery's row, and the notification's content as it is sealed, are the message.  What it comes to is
rendered, so what cannot be shown fails like any other message.
"""

from typing import ClassVar

import msgspec

from adapters.providers.kit.settings import ProviderContext, ProviderSettings
from application.provider.ports import OutboundMessage
from domain.channel.parts import InAppParts
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Outcome, Refused


class InAppSettings(ProviderSettings, frozen=True, tag="in_app"):
    """Keeps messages for the shop's own app.  The provider `in_app` is always there."""

    capabilities: ClassVar = Capabilities(channels=("in_app",))

    def gateway(self, _context: ProviderContext) -> "InAppGateway":
        """See `ProviderSettings`."""
        return InAppGateway()


class InAppGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    async def send(self, message: OutboundMessage) -> Outcome:
        """Look at the message; Accepted's reference is made of the delivery's id."""
        try:
            msgspec.convert(message.parts, InAppParts)
        except msgspec.ValidationError:
            return Refused("its parts are not those of a message in the app", examined=False)
        return Accepted(f"in-app-{message.delivery}")

    async def aclose(self) -> None:
        """Nothing is held open."""
