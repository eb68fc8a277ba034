"""Which channels take new requests, read for many requests at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from application.channel.known_channels import KnownChannels
from application.channel.ports import Channel, Channels, WhenDisabled
from application.kernel.caching import ReadThrough, Recent
from application.kernel.ports import Clock
from domain.kernel.channel import CHANNELS, AddressedBy

FOR_EVER = timedelta.max


@dataclass(slots=True, kw_only=True)
class OpenChannels:
    """Which channels take new requests: one small read for all requests of a moment.

    Args:
        fresh: another process's change is seen after it at the latest.
    """

    channels: Channels
    clock: Clock
    known: KnownChannels = field(default_factory=lambda: KnownChannels(CHANNELS))
    fresh: timedelta = timedelta(seconds=2)
    _all: ReadThrough[str, Mapping[str, Channel]] = field(init=False)

    def __post_init__(self) -> None:
        self._all = ReadThrough(self.clock, Recent(most=1, size_max=1), fresh=self.fresh, stale=FOR_EVER)
        self._all.suppose("", {})

    async def takes(self, channel: str) -> bool:
        """Whether it takes requests.

        While the database is away what was read last counts, and a channel that nobody has read yet takes
        them: what is accepted can wait.
        """
        found = (await self._all.get("", self._read)).get(channel)
        return found is None or found.enabled or found.when_disabled is WhenDisabled.HOLD

    async def addressed_by(self, channel: str) -> AddressedBy | None:
        """What addresses a recipient on it; None: it is built in, or nobody has read it yet."""
        if self.known.configured(channel):
            return None
        found = (await self._all.get("", self._read)).get(channel)
        return None if found is None else found.addressed_by

    async def made(self) -> frozenset[str]:
        """The channels that the API has made.

        While the database is away those that were read last.
        """
        found = await self._all.get("", self._read)
        return frozenset(name for name, channel in found.items() if channel.addressed_by is not None)

    async def look(self) -> None:
        """See what other processes have made or removed; called now and then."""
        await self.made()

    def forget(self) -> None:
        """This process changed one: ask again."""
        self._all.read_again("")

    async def _read(self) -> Mapping[str, Channel]:
        found = {kept.value.channel: kept.value for kept in await self.channels.all()}
        self.known.learn(name for name, each in found.items() if each.addressed_by is not None)
        return found
