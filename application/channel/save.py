"""Change how a channel is run: on or off, paused, which providers."""

from dataclasses import dataclass

from application.channel.open_channels import OpenChannels
from application.channel.ports import Channel, Channels
from application.kernel.versioned import Versioned
from application.provider.ports import Gateways
from domain.kernel.errors import Fault, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveChannel:
    """Deliveries that wait already follow the new configuration: it is read with every lease."""

    channels: Channels
    gateways: Gateways
    open: OpenChannels

    async def __call__(self, channel: Channel, *, expected: int | None) -> Versioned[Channel]:
        """Save; `expected` is the version the caller has seen.

        Raises:
            Invalid: a provider that is not configured, or one named twice.
            Conflict: it changed meanwhile.
        """
        faults = []
        for n, provider in enumerate(channel.providers):
            if self.gateways.named(provider) is None:
                detail = f"no provider '{provider}' is configured"
                faults.append(Fault(f"/providers/{n}", "unknown_provider", detail))
            elif provider in channel.providers[:n]:
                faults.append(Fault(f"/providers/{n}", "duplicate", f"'{provider}' is named twice"))
        if faults:
            raise Invalid(*faults)
        saved = await self.channels.put(channel, expected=expected)
        self.open.forget()
        return saved
