"""Every kind of provider there is, and the gateways of those that are configured.

Configuration, documentation and the gateways go by `KINDS`; nothing else wires a provider.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path

from adapters.http.egress import Network
from adapters.providers.described.http.gateway import DescribedGateway
from adapters.providers.in_app.in_app import InAppSettings
from adapters.providers.kinds import Kinds, shipped_kinds
from adapters.providers.kit.ledger import Ledger
from adapters.providers.kit.settings import NOWHERE, ProviderContext, ProviderSettings
from adapters.providers.sandbox import SandboxSettings
from application.kernel.ports import Clock, Dice
from application.provider.ports import IN_APP, SANDBOX, Gateway
from application.secret.ports import Secrets
from domain.kernel.errors import Misconfigured
from domain.provider.description import ProviderDescription

GROUP = "posthorn.gateways"
"""Entry points by which packages bring kinds."""
KINDS = Kinds(shipped_kinds(), lambda: entry_points(group=GROUP))
"""By the name of the kind."""


class ProviderGateways:
    """Implements `Gateways`.  Connections open with the first message."""

    def __init__(
        self,
        providers: Mapping[str, ProviderSettings],
        *,
        clock: Clock,
        dice: Dice,
        call_max: timedelta,
        ledger: Path | None = None,
        secrets: Secrets = NOWHERE,
        described_secrets: Secrets = NOWHERE,
        networks: Sequence[Network] = (),
    ) -> None:
        """Make the gateway of each provider, and of the sandbox, which is always there.

        Args:
            providers: by the name of the account.
            call_max: `engine.call_max`.
            ledger: file to which every sandbox writes what became of each call.
            secrets: what the configuration may refer to.
            described_secrets: what may be referred to through the API.
            networks: to which described providers may lead, though they are not public.

        Raises:
            Misconfigured: a provider cannot work as configured.
        """
        try:
            self._ledger = None if ledger is None else Ledger(ledger)
        except OSError as error:
            raise Misconfigured(f"the sandbox's ledger {ledger} cannot be opened: {error.strerror}") from None
        named = {SANDBOX: SandboxSettings(), IN_APP: InAppSettings(), **providers}
        if (kind := named[SANDBOX].kind()) != SandboxSettings.kind():
            raise Misconfigured(
                f"the provider '{SANDBOX}' sends nothing: give the one of kind {kind} another name"
            )
        context = ProviderContext(
            clock=clock, dice=dice, call_max=call_max, ledger=self._ledger, secrets=secrets
        )
        self._gateways = {name: settings.gateway(context) for name, settings in named.items()}
        self._push_services = {name: settings.push_services for name, settings in named.items()}
        self._described: dict[str, DescribedGateway] = {}
        self._configured = frozenset(named)
        self._clock, self._secrets, self._networks = clock, described_secrets, networks

    def configured(self, provider: str) -> bool:
        """See `DescribedGateways`."""
        return provider in self._configured

    def describe(self, provider: str, description: ProviderDescription | None) -> None:
        """See `DescribedGateways`."""
        if provider in self._configured:  # the file has it since
            return
        old = self._described.pop(provider, None)
        if description is None:
            self._gateways.pop(provider, None)
        else:
            self._described[provider] = DescribedGateway(
                description, clock=self._clock, secrets=self._secrets, networks=self._networks
            )
            self._gateways[provider] = self._described[provider]
        if old is not None:
            old.retire()

    def described(self) -> Mapping[str, int]:
        """The providers that were described through the API, with the calls that each takes at a time."""
        return {name: gateway.calls_max for name, gateway in self._described.items()}

    def push_services(self, provider: str) -> frozenset[str]:
        """The push services whose tokens a provider takes; none: it is given the user's own id."""
        return self._push_services.get(provider, frozenset())

    def named(self, provider: str) -> Gateway | None:
        """The gateway of a provider, or None when configuration has no such provider."""
        return self._gateways.get(provider)

    async def aclose(self) -> None:
        """Close what is open; for after the last call."""
        for gateway in self._gateways.values():
            await gateway.aclose()
        if self._ledger is not None:
            self._ledger.close()
