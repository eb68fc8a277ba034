"""From the providers of the settings to their gateways."""

from msgspec import structs

from adapters.gateways.options import SmtpOptions
from adapters.gateways.registry import Options, ProviderGateways
from adapters.gateways.sandbox import SandboxOptions
from application.ports.system import Clock, Dice
from config.providers import Provider, SmtpProvider
from config.settings import Settings
from domain.kernel.errors import Misconfigured


def build(settings: Settings, clock: Clock, dice: Dice) -> ProviderGateways:
    """Every provider that is configured, and the sandbox.

    Raises:
        Misconfigured: one of them cannot work.
    """
    options = {name: _options(provider) for name, provider in settings.providers.items()}
    try:
        return ProviderGateways(options, clock=clock, dice=dice, ledger=settings.sandbox.ledger)
    except Misconfigured as fault:
        raise Misconfigured(f"providers: {fault}") from None


def _options(provider: Provider) -> Options:
    given = structs.asdict(provider)
    if isinstance(provider, SmtpProvider):
        return SmtpOptions(**given | {"tls": provider.tls.value})
    return SandboxOptions(**given)
