"""From the providers of the settings to their gateways."""

from msgspec import structs

from adapters.providers.email.smtp.options import SmtpOptions
from adapters.providers.registry import SANDBOX, Options, ProviderGateways
from adapters.providers.sandbox import SandboxOptions
from application.kernel.ports import Clock, Dice
from config.providers import Provider, SandboxProvider, SmtpProvider
from config.settings import Settings
from domain.kernel.errors import Misconfigured


def build(settings: Settings, clock: Clock, dice: Dice) -> ProviderGateways:
    """Every provider that is configured, and the sandbox.

    Raises:
        Misconfigured: one of them cannot work.
    """
    configured = {SANDBOX: SandboxProvider(), **settings.providers}
    options = {name: _options(provider, settings) for name, provider in configured.items()}
    try:
        return ProviderGateways(options, clock=clock, dice=dice, ledger=settings.sandbox.ledger)
    except Misconfigured as fault:
        raise Misconfigured(f"providers: {fault}") from None


def _options(provider: Provider, settings: Settings) -> Options:
    given = structs.asdict(provider)
    if isinstance(provider, SmtpProvider):
        return SmtpOptions(**given | {"tls": provider.tls.value})
    return SandboxOptions(**given, call_max=settings.engine.call_max)
