"""The broker: RabbitMQ over two connections, or the one in this process in embedded mode."""

from dependency_injector import containers, providers

from adapters.memory.broker import MemoryBroker, MemoryEvents
from adapters.rabbitmq.channel_queues import RabbitChannelQueues
from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.control import RabbitControl
from adapters.rabbitmq.delay_ladder import DelayLadderPublisher
from adapters.rabbitmq.delay_plugin import DelayPluginPublisher
from adapters.rabbitmq.event_publisher import RabbitEventPublisher
from adapters.rabbitmq.publisher import RabbitPublisher
from adapters.rabbitmq.queue_sizes import RabbitQueueSizes
from adapters.rabbitmq.topology import SHOP_EVENTS, definitions
from adapters.telemetry.metered import MeteredPublisher
from application.broker.ports import Consumer, DelayedPublisher, EventPublisher, QueueSizes
from application.channel.ports import ChannelQueues
from config.broker_connections import broker_connection
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class BrokerRoom(containers.DeclarativeContainer):
    """Publishing and consuming have a connection each: RabbitMQ may block the one that publishes."""

    kernel = needs(KernelRoom)

    topology = Single(definitions, channels=kernel.settings.provided.accepting.channels)
    in_process = Single(MemoryBroker, topology, kernel.clock)
    publishing = Single(broker_connection, kernel.settings, "publisher", kernel.tasks)
    consuming = Single(broker_connection, kernel.settings, "consumer", kernel.tasks)

    publisher = Single(
        MeteredPublisher,
        publisher=providers.Selector(kernel.embedded, yes=in_process, no=Single(RabbitPublisher, publishing)),
        telemetry=kernel.telemetry,
        clock=kernel.clock,
    )
    delayed: providers.Provider[DelayedPublisher] = providers.Selector(
        kernel.embedded,
        yes=in_process,
        no=providers.Selector(
            kernel.settings.provided.amqp.delays,
            ladder=Single(DelayLadderPublisher, publishing),
            plugin=Single(DelayPluginPublisher, publishing),
        ),
    )
    consumer: providers.Provider[Consumer] = providers.Selector(
        kernel.embedded, yes=in_process, no=Single(RabbitConsumer, consuming)
    )
    sizes: providers.Provider[QueueSizes] = providers.Selector(
        kernel.embedded, yes=in_process, no=Single(RabbitQueueSizes, consuming)
    )
    channel_queues: providers.Provider[ChannelQueues] = providers.Selector(
        kernel.embedded, yes=in_process, no=Single(RabbitChannelQueues, consuming)
    )
    control = Single(RabbitControl, publishing, consuming, kernel.process)
    shop_events: providers.Provider[EventPublisher] = providers.Selector(
        kernel.embedded,
        yes=Single(MemoryEvents, in_process, SHOP_EVENTS),
        no=Single(RabbitEventPublisher, publishing, SHOP_EVENTS),
    )
