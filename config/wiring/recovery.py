"""Recovery: see that the broker has lost its data, lay its topology out and issue every message anew."""

from collections.abc import Callable
from functools import partial

from dependency_injector import containers, providers

from adapters.postgres.recovery.marker import PostgresMarker
from adapters.postgres.recovery.reissue import PostgresRecovery
from adapters.rabbitmq.management_api import ManagementApi
from adapters.rabbitmq.marker import RabbitMarker
from adapters.rabbitmq.topology_check import RabbitTopology
from application.recovery.recover import RecoverBroker
from config.broker_connections import management
from config.settings import Settings
from config.wiring.broker import BrokerRoom
from config.wiring.channel import ChannelRoom
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


def _management(settings: Settings) -> Callable[[], ManagementApi] | None:
    """How to open the management API; None: amqp.management_url is not set."""
    return None if settings.amqp.management_url is None else partial(management, settings)


class RecoveryRoom(containers.DeclarativeContainer):
    """`recover_broker` needs RabbitMQ; embedded mode has no broker that could lose anything."""

    kernel = needs(KernelRoom)
    broker = needs(BrokerRoom)
    channel = needs(ChannelRoom)

    recovery = Single(PostgresRecovery, database=kernel.database, process=kernel.process, ids=kernel.ids)
    known_marker = Single(PostgresMarker, database=kernel.database)
    broker_marker = Single(RabbitMarker, broker.consuming, broker.publishing)
    topology = Single(
        RabbitTopology,
        broker.consuming,
        broker.topology,
        Single(_management, kernel.settings),
        made=channel.open_channels.provided.made,
        queues=broker.channel_queues,
    )
    recover_broker = Single(
        RecoverBroker,
        known=known_marker,
        broker=broker_marker,
        topology=topology,
        recovery=recovery,
        ids=kernel.ids,
    )
