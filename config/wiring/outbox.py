"""The outbox: its rows, their way to the broker, and deliveries whose message did not come back."""

from dependency_injector import containers, providers

from adapters.postgres.outbox.overdue import PostgresOverdue
from adapters.postgres.outbox.rows import PostgresOutbox
from application.outbox.reissue_overdue import ReissueOverdue
from application.outbox.relay import RelayOutbox
from config.wiring.broker import BrokerRoom
from config.wiring.channel import ChannelRoom
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class OutboxRoom(containers.DeclarativeContainer):
    """The `handoff` from committing code to the relay is in the kernel room: all who commit need it."""

    kernel = needs(KernelRoom)
    broker = needs(BrokerRoom)
    channel = needs(ChannelRoom)

    rows = Single(PostgresOutbox, database=kernel.database, process=kernel.process)
    relay = Single(
        RelayOutbox, outbox=rows, publisher=broker.publisher, delayed=broker.delayed, clock=kernel.clock
    )
    overdue = Single(PostgresOverdue, database=kernel.database, process=kernel.process, ids=kernel.ids)
    reissue_overdue = Single(
        ReissueOverdue,
        overdue=overdue,
        sizes=broker.sizes,
        channels=channel.channels,
        handoff=kernel.handoff,
    )
