"""Every provider account, configured or described, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from application.channel.ports import Channels
from application.kernel.ports import Clock
from application.provider.ports import DescribedProviders
from application.provider.steering import ForcedProviders, SteeredProviders
from domain.provider.capabilities import Capabilities
from domain.provider.forcing import Forced, ForcedProvider

DESCRIBED = "described"
"""In place of a kind, of what the API has described."""


class ProviderAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account of a kind of provider."""

    name: str
    kind: str
    description: str
    capabilities: Capabilities


class StandingProvider(msgspec.Struct, frozen=True, kw_only=True):
    """An account, and how it stands."""

    account: ProviderAccount
    channels: tuple[str, ...]
    """Those that name it, in name order."""
    stopped: str | None
    """Why it is not called, as far as this process knows; None: it is called.  See `SteeredProviders`."""
    forced: ForcedProvider | None
    """What an operator has decided; None: nothing that counts now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProviders:
    """There are few: all of them at once.

    Args:
        configured: the accounts of the configuration.
    """

    configured: Sequence[ProviderAccount]
    described: DescribedProviders
    channels: Channels
    forced: ForcedProviders
    states: SteeredProviders
    clock: Clock

    async def __call__(self) -> list[StandingProvider]:
        """In name order.

        Raises:
            StoreUnavailable.
        """
        described = await self.described.many(list(await self.described.versions()))
        accounts = {each.name: each for each in self.configured}
        for kept in described:
            what = kept.value.description
            capabilities = Capabilities(channels=tuple(what.channels))
            account = ProviderAccount(
                name=kept.value.name, kind=DESCRIBED, description=what.summary, capabilities=capabilities
            )
            accounts.setdefault(account.name, account)
        channels = [kept.value for kept in await self.channels.all()]
        now = self.clock.now()
        forced = {each.value.provider: each.value for each in await self.forced.all()}
        stopped = self.states.stopped()
        return [
            StandingProvider(
                account=account,
                channels=tuple(each.channel for each in channels if name in each.providers),
                stopped=stopped.get(name),
                forced=said if (said := forced.get(name)) and said.at(now) is not Forced.AUTO else None,
            )
            for name, account in sorted(accounts.items())
        ]
