"""Providers: their gateways as configured, and which of them rest."""

from dependency_injector import containers, providers

from adapters.breaker.rolling import RollingBreaker
from adapters.telemetry.metered import MeteredGateways
from application.provider.states import ProviderStates
from config.gateways import build
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class ProviderRoom(containers.DeclarativeContainer):
    """`built` is closed at the end of the process; calls go through `gateways`, which measures them."""

    kernel = needs(KernelRoom)

    built = Single(build, kernel.settings, kernel.clock, kernel.dice)
    gateways = Single(MeteredGateways, built, kernel.telemetry, kernel.clock)
    states = Single(
        ProviderStates,
        clock=kernel.clock,
        watch=kernel.telemetry,
        breaker=providers.Factory(RollingBreaker, kernel.clock).provider,
    )
