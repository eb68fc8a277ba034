"""Providers: their gateways as configured, and which of them rest."""

from dependency_injector import containers, providers

from adapters.breaker.rolling import RollingBreaker
from adapters.postgres.provider.described import PostgresDescribedProviders
from adapters.postgres.provider.forced import PostgresForcedProviders
from adapters.providers.lookups import ProviderLookups
from adapters.telemetry.metered import MeteredGateways
from application.provider.announcing import Announcing
from application.provider.control_outbox import ControlOutbox
from application.provider.follow_descriptions import FollowDescriptions
from application.provider.follow_forced import FollowForced
from application.provider.force import ForceProvider
from application.provider.save_description import SaveDescription
from application.provider.states import ProviderStates
from config.gateways import build, capabilities
from config.secret_sources import scope
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs
from config.wiring.secret import SecretRoom

Single = providers.Singleton


class ProviderRoom(containers.DeclarativeContainer):
    """`built` is closed at the end of the process; calls go through `gateways`, which measures them."""

    kernel = needs(KernelRoom)
    secret = needs(SecretRoom)

    built = Single(build, kernel.settings, kernel.clock, kernel.dice, secret.secrets)
    described = Single(PostgresDescribedProviders, database=kernel.database)
    follow = Single(FollowDescriptions, store=described, gateways=built)
    save_description = Single(
        SaveDescription,
        store=described,
        gateways=built,
        follow=follow,
        scope=providers.Callable(scope, kernel.settings.provided.secrets),
    )
    lookups = Single(
        ProviderLookups, built, providers.Callable(capabilities, kernel.settings.provided.providers)
    )
    gateways = Single(MeteredGateways, built, kernel.telemetry, kernel.clock)
    control_outbox = Single(ControlOutbox)
    states = Single(
        ProviderStates,
        clock=kernel.clock,
        watch=Single(Announcing, inner=kernel.telemetry, control=control_outbox),
        breaker=providers.Factory(RollingBreaker, kernel.clock).provider,
    )
    forced = Single(PostgresForcedProviders, database=kernel.database)
    follow_forced = Single(FollowForced, store=forced, states=states, clock=kernel.clock)
    force = Single(
        ForceProvider,
        store=forced,
        gateways=built,
        follow=follow_forced,
        control=control_outbox,
        clock=kernel.clock,
    )
