"""Channels: their rows, whether they are open, and what waits on them."""

from dependency_injector import containers, providers

from adapters.postgres.channel.channels import PostgresChannels
from adapters.postgres.delivery.backlog import PostgresBacklog
from application.channel.drop_backlog import DropBacklog
from application.channel.open_channels import OpenChannels
from application.channel.remove import RemoveChannel
from application.channel.save import SaveChannel
from application.provider.list import ListProviders
from application.provider.remove_description import RemoveDescription
from config.kinds import accounts
from config.wiring.broker import BrokerRoom
from config.wiring.job import JobRoom
from config.wiring.kernel import KernelRoom
from config.wiring.provider import ProviderRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class ChannelRoom(containers.DeclarativeContainer):
    """`open_channels` remembers for a moment which channels accept."""

    kernel = needs(KernelRoom)
    provider = needs(ProviderRoom)
    job = needs(JobRoom)
    broker = needs(BrokerRoom)

    channels = Single(PostgresChannels, database=kernel.database)
    backlog = Single(PostgresBacklog, database=kernel.database)
    open_channels = Single(OpenChannels, channels=channels, clock=kernel.clock, known=kernel.channels_known)
    save = Single(
        SaveChannel,
        channels=channels,
        gateways=provider.gateways,
        open=open_channels,
        known=kernel.channels_known,
        queues=broker.channel_queues,
        look=provider.follow,
    )
    remove = Single(
        RemoveChannel,
        channels=channels,
        backlog=backlog,
        open=open_channels,
        known=kernel.channels_known,
        clock=kernel.clock,
    )
    remove_description = Single(
        RemoveDescription, store=provider.described, channels=channels, follow=provider.follow
    )
    list_providers = Single(
        ListProviders,
        configured=Single(accounts, kernel.settings),
        described=provider.described,
        channels=channels,
        forced=provider.forced,
        states=provider.states,
        clock=kernel.clock,
    )
    drop_backlog = Single(DropBacklog, channels=channels, backlog=backlog, start_job=job.start)
