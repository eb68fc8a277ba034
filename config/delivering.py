"""The part of the composition root that works deliveries off: begin, call, and what becomes of the rest."""

from dependency_injector import containers, providers

from adapters.postgres.clearances import PostgresClearances
from application.delivery.begin import BeginDeliveries
from application.delivery.bury import BuryDelivery
from application.delivery.call import CallProvider
from application.delivery.clear import ClearAgain
from application.delivery.probe import ProbeLane
from application.delivery.take_apart import TakeApart
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

    begin = Single(
        BeginDeliveries,
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
    probe = Single(ProbeLane, channels=channels)
    take_apart = Single(TakeApart, deliveries=deliveries, handoff=handoff)
    bury = Single(BuryDelivery, letters=dead_letters, deliveries=deliveries, handoff=handoff)
