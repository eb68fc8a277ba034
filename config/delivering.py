"""The part of the composition root that works deliveries off: begin, call, and what becomes of the rest."""

from dependency_injector import containers, providers

from adapters.postgres.delivery.clearances import PostgresClearances
from adapters.postgres.delivery.renewals import PostgresRenewals
from application.alert.providers import TellOfProviders
from application.dead_letter.bury import BuryDelivery
from application.delivery.begin import BeginDeliveries
from application.delivery.call import CallProvider
from application.delivery.clear import ClearAgain
from application.delivery.keep import KeepLeases
from application.delivery.probe import ProbeLane
from application.delivery.reissue import ReissuePointers
from application.provider.states import ProviderStates
from config.hooks import operators_hook
from config.settings import Settings

Single = providers.Singleton


class Delivering(containers.DeclarativeContainer):
    """What it depends on is the container's."""

    settings = providers.Dependency(instance_of=Settings)
    clock = providers.Dependency()
    dice = providers.Dependency()
    database = providers.Dependency()
    deliveries = providers.Dependency()
    dead_letters = providers.Dependency()
    vault = providers.Dependency()
    gateways = providers.Dependency()
    handoff = providers.Dependency()
    policies = providers.Dependency()
    renderer = providers.Dependency()
    cached = providers.Dependency()
    channels = providers.Dependency()
    telemetry = providers.Dependency()
    process = providers.Dependency()
    key_state = providers.Dependency()

    provider_states = Single(ProviderStates, clock=clock, watch=telemetry)
    begin = Single(
        BeginDeliveries,
        providers=provider_states,
        deliveries=deliveries,
        vault=vault,
        gateways=gateways,
        handoff=handoff,
        policies=policies,
        clock=clock,
        dice=dice,
        lease=settings.provided.engine.lease,
    )
    call = Single(
        CallProvider,
        providers=provider_states,
        gateways=gateways,
        renderer=renderer,
        templates=cached,
        policies=policies,
        clock=clock,
        dice=dice,
        lease=settings.provided.engine.lease,
        call_max=settings.provided.engine.call_max,
        clear_again=Single(
            ClearAgain,
            clearances=Single(PostgresClearances, database=database),
            policies=policies,
            clock=clock,
        ),
    )
    tell_of_providers = Single(
        TellOfProviders,
        providers=provider_states,
        hook=Single(operators_hook, settings, clock),
        clock=clock,
        process=process,
    )
    keep_leases = Single(
        KeepLeases,
        renewals=Single(PostgresRenewals, database=database),
        under_way=call.provided.under_way,
        clock=clock,
        lease=settings.provided.engine.lease,
    )
    probe = Single(ProbeLane, channels=channels, providers=provider_states, keys=key_state)
    reissue = Single(ReissuePointers, deliveries=deliveries, handoff=handoff)
    bury = Single(BuryDelivery, letters=dead_letters, deliveries=deliveries, handoff=handoff)
