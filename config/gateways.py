"""From the providers of the settings to their gateways."""

import os
from collections.abc import Mapping

import msgspec

from adapters.http.egress import Network, networks_of
from adapters.providers.kit.settings import ProviderSettings
from adapters.providers.registry import KINDS, ProviderGateways
from application.kernel.ports import Clock, Dice
from application.secret.ports import Secrets
from config.secret_sources import of_configuration, of_descriptions
from config.settings import Settings
from domain.kernel.errors import Misconfigured
from domain.provider.capabilities import Capabilities


def build(
    settings: Settings, clock: Clock, dice: Dice, described_secrets: Secrets | None = None
) -> ProviderGateways:
    """Every provider that is configured, and the sandbox.

    Raises:
        Misconfigured: one of them cannot work.
    """
    try:
        return ProviderGateways(
            settings.providers,
            clock=clock,
            dice=dice,
            call_max=settings.engine.call_max,
            ledger=settings.sandbox.ledger,
            secrets=of_configuration(settings.secrets, os.environ, clock),
            described_secrets=described_secrets or of_descriptions(settings.secrets, clock),
            networks=networks(settings),
        )
    except Misconfigured as fault:
        raise Misconfigured(f"providers: {fault}") from None


def capabilities(providers: Mapping[str, ProviderSettings]) -> Mapping[str, Capabilities]:
    """What each configured provider can do."""
    return {name: each.capabilities for name, each in providers.items()}


def networks(settings: Settings) -> tuple[Network, ...]:
    """What `described.networks` stands for.

    Raises:
        Misconfigured: one is none.
    """
    return networks_of(settings.described.networks, "described.networks")


def provider_settings(kind: str, values: Mapping[str, object]) -> ProviderSettings:
    """Settings of a kind, from values by the names that configuration has for them.

    Raises:
        KeyError, msgspec.ValidationError: there is no such kind, or a value is none.
    """
    return msgspec.convert(values, KINDS[kind])
