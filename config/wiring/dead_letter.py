"""Dead letters: deliveries that were given up."""

from dependency_injector import containers, providers

from adapters.postgres.dead_letter.dead_letters import PostgresDeadLetters
from adapters.postgres.dead_letter.reader import PostgresDeadLetterReader
from application.dead_letter.compact_queue import CompactQueue
from application.dead_letter.give_up import GiveUpDeliveries
from config.wiring.broker import BrokerRoom
from config.wiring.delivery import DeliveryRoom
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class DeadLetterRoom(containers.DeclarativeContainer):
    """Giving up makes them; replaying and discarding them are jobs."""

    kernel = needs(KernelRoom)
    broker = needs(BrokerRoom)
    delivery = needs(DeliveryRoom)

    dead_letters = Single(
        PostgresDeadLetters, database=kernel.database, process=kernel.process, ids=kernel.ids
    )
    reader = Single(PostgresDeadLetterReader, database=kernel.database)
    give_up = Single(
        GiveUpDeliveries, dead_letters=dead_letters, deliveries=delivery.deliveries, handoff=kernel.handoff
    )
    compact_queue = Single(CompactQueue, consumer=broker.consumer, sizes=broker.sizes, dead_letters=reader)
