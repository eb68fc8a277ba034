"""Change how a channel is run, or make one: its lanes are there before anybody can name it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from application.channel.known_channels import KnownChannels
from application.channel.open_channels import OpenChannels
from application.channel.ports import Channel, ChannelQueues, Channels
from application.kernel.versioned import Versioned
from application.provider.ports import Gateways
from domain.kernel.channel import RUN_TIME_MAX, RUN_TIME_NAME, AddressedBy
from domain.kernel.errors import Fault, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveChannel:
    """Deliveries that wait already follow the new configuration: it is read with every lease.

    Args:
        look: sees which providers other processes have saved.
    """

    channels: Channels
    gateways: Gateways
    open: OpenChannels
    known: KnownChannels
    queues: ChannelQueues
    look: Callable[[], Awaitable[object]]

    async def __call__(self, channel: Channel, *, expected: int | None) -> Versioned[Channel]:
        """Save; `expected` is the version the caller has seen, 0 to make a channel.

        Raises:
            Invalid: a provider that nobody knows, or one named twice; or it cannot be made so.
            Conflict: it changed meanwhile.
            BrokerUnavailable: its lanes cannot be made now; nothing is saved.
        """
        if any(self.gateways.named(provider) is None for provider in channel.providers):
            await self.look()
        rows = {row.value.channel: row.value for row in await self.channels.all()}
        before = rows.get(channel.channel)
        faults = [*self._provider_faults(channel), *self._faults(channel, before, rows.values())]
        if faults:
            raise Invalid(*faults)
        if before is not None and channel.addressed_by is None:
            channel = msgspec.structs.replace(channel, addressed_by=before.addressed_by)
        if before is None and channel.addressed_by is not None:
            await self.queues.make(channel.channel)
        saved = await self.channels.put(channel, expected=expected)
        self.open.forget()
        await self.open.look()
        return saved

    def _provider_faults(self, channel: Channel) -> Iterator[Fault]:
        for n, provider in enumerate(channel.providers):
            if self.gateways.named(provider) is None:
                detail = f"no provider '{provider}': configure it, or PUT /api/providers/{provider} first"
                yield Fault(f"/providers/{n}", "unknown_provider", detail)
            elif provider in channel.providers[:n]:
                yield Fault(f"/providers/{n}", "duplicate", f"'{provider}' is named twice")

    def _faults(self, channel: Channel, before: Channel | None, rows: Iterable[Channel]) -> Iterator[Fault]:
        """What is wrong with its name, and with what addresses its recipients."""
        by = channel.addressed_by
        if self.known.configured(channel.channel):
            if by is not None:
                yield Fault("/addressedBy", "built_in", f"'{channel.channel}' has addresses of its own kind")
        elif before is not None:
            if by is not None and by is not before.addressed_by:
                detail = f"it stays {before.addressed_by}: make another channel"
                yield Fault("/addressedBy", "fixed", detail)
        else:
            yield from _new_faults(channel, rows)


def _new_faults(channel: Channel, rows: Iterable[Channel]) -> Iterator[Fault]:
    if not RUN_TIME_NAME.fullmatch(channel.channel):
        detail = "a small letter and up to 30 small letters, digits and _"
        yield Fault("", "bad_name", detail)
    if channel.addressed_by is None:
        detail = f"a new channel says what addresses its recipients: one of {', '.join(AddressedBy)}"
        yield Fault("/addressedBy", "missing", detail)
    if sum(row.addressed_by is not None for row in rows) >= RUN_TIME_MAX:
        yield Fault("", "too_many", f"there are {RUN_TIME_MAX} such channels: remove one first")
