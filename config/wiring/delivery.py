"""Deliveries: begin attempts, call providers, and keep, issue or list what is under way."""

from dependency_injector import containers, providers

from adapters.postgres.delivery.clearances import PostgresClearances
from adapters.postgres.delivery.deliveries import PostgresDeliveries
from adapters.postgres.delivery.open_calls import PostgresOpenCalls
from adapters.postgres.delivery.renewals import PostgresRenewals
from adapters.telemetry.metered import MeteredDeliveries
from application.delivery.begin import BeginDeliveries
from application.delivery.call import CallProvider
from application.delivery.clear import ClearAgain
from application.delivery.complete import CompleteMessage
from application.delivery.keep import KeepLeases
from application.delivery.page import ListDeliveries
from application.delivery.probe import ProbeLane
from application.delivery.reconcile import ReconcileCalls
from application.delivery.reissue import ReissuePointers
from config.content import files
from config.wiring.channel import ChannelRoom
from config.wiring.kernel import KernelRoom
from config.wiring.notification import NotificationRoom
from config.wiring.privacy import PrivacyRoom
from config.wiring.provider import ProviderRoom
from config.wiring.rooms import needs
from config.wiring.template import TemplateRoom

Single = providers.Singleton


class DeliveryRoom(containers.DeclarativeContainer):
    """What the lanes of a process work with."""

    kernel = needs(KernelRoom)
    privacy = needs(PrivacyRoom)
    provider = needs(ProviderRoom)
    template = needs(TemplateRoom)
    channel = needs(ChannelRoom)
    notification = needs(NotificationRoom)

    deliveries = Single(
        MeteredDeliveries,
        deliveries=Single(
            PostgresDeliveries, database=kernel.database, process=kernel.process, ids=kernel.ids
        ),
        telemetry=kernel.telemetry,
    )
    clearances = Single(PostgresClearances, database=kernel.database)
    renewals = Single(PostgresRenewals, database=kernel.database)
    open_calls = Single(PostgresOpenCalls, database=kernel.database)
    reconcile = Single(
        ReconcileCalls, calls=open_calls, lookups=provider.lookups, policies=notification.policies
    )

    begin = Single(
        BeginDeliveries,
        providers=provider.states,
        deliveries=deliveries,
        vault=privacy.vault,
        gateways=provider.gateways,
        reconcile=reconcile,
        handoff=kernel.handoff,
        policies=notification.policies,
        clock=kernel.clock,
        dice=kernel.dice,
        lease=kernel.settings.provided.engine.lease,
    )
    call = Single(
        CallProvider,
        providers=provider.states,
        gateways=provider.gateways,
        reconcile=reconcile,
        renderer=template.renderer,
        complete=Single(
            CompleteMessage,
            files=Single(files, kernel.settings.provided.attachments, kernel.clock),
            senders=kernel.senders,
        ),
        templates=template.cached,
        policies=notification.policies,
        clock=kernel.clock,
        dice=kernel.dice,
        lease=kernel.settings.provided.engine.lease,
        call_max=kernel.settings.provided.engine.call_max,
        clear_again=Single(
            ClearAgain,
            clearances=clearances,
            policies=notification.policies,
            clock=kernel.clock,
        ),
    )
    keep_leases = Single(
        KeepLeases,
        renewals=renewals,
        under_way=call.provided.under_way,
        clock=kernel.clock,
        lease=kernel.settings.provided.engine.lease,
    )
    probe = Single(ProbeLane, channels=channel.channels, providers=provider.states, keys=privacy.state)
    reissue = Single(ReissuePointers, deliveries=deliveries, handoff=kernel.handoff)
    list = Single(
        ListDeliveries, reader=notification.reader, intake_ids=notification.intake_ids, vault=privacy.vault
    )
