"""From the providers of the settings to their gateways."""

from collections.abc import Mapping

import msgspec

from adapters.providers.kit.settings import ProviderSettings
from adapters.providers.registry import KINDS, ProviderGateways
from application.kernel.ports import Clock, Dice
from config.settings import Settings
from domain.kernel.errors import Misconfigured


def build(settings: Settings, clock: Clock, dice: Dice) -> ProviderGateways:
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
        )
    except Misconfigured as fault:
        raise Misconfigured(f"providers: {fault}") from None


def provider_settings(kind: str, values: Mapping[str, object]) -> ProviderSettings:
    """Settings of a kind, from values by the names that configuration has for them.

    Raises:
        KeyError, msgspec.ValidationError: there is no such kind, or a value is none.
    """
    return msgspec.convert(values, KINDS[kind])
