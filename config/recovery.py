"""What looks whether the broker has lost its data: its parts, put together beside the container."""

from functools import partial

from adapters.postgres.recovery.marker import PostgresMarker
from adapters.rabbitmq.marker import RabbitMarker
from adapters.rabbitmq.topology_check import RabbitTopology
from application.recovery.recover import RecoverBroker
from config.container import Container
from config.links import management


def recover_broker(container: Container) -> RecoverBroker:
    """Of one process whose links are open; embedded mode has no broker that could lose anything."""
    settings = container.settings()
    consuming = container.consuming()
    makes = partial(management, settings) if settings.amqp.management_url is not None else None
    return RecoverBroker(
        known=PostgresMarker(database=container.database()),
        broker=RabbitMarker(consuming, container.publishing()),
        topology=RabbitTopology(consuming, container.topology(), makes),
        recovery=container.recovery(),
        ids=container.ids(),
    )
