"""What the broker gives up by itself becomes a dead letter as any other."""

import asyncio

from application.dead_letter.give_up import GiveUpDeliveries
from application.outbox.dispatch import RETURNED
from application.outbox.pointers import Pointer, encode
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.errors import StoreUnavailable
from entrypoints.amqp.parking import REASON as HEADER
from entrypoints.amqp.returned import REASON, ReturnedBatches
from entrypoints.engine.consumer.batch_consumer import BatchConsumer
from tests.support.eventually import eventually, steadily
from tests.unit.engine.harness import CLOCK, EMAIL, IDS, World


class Returned(World):
    """A lane that nobody works, and who looks after what the broker gives up."""

    def __init__(self) -> None:
        super().__init__()
        batches = ReturnedBatches(
            give_up=self.engine.give_up, publisher=self.broker, ids=IDS, telemetry=self.telemetry
        )
        self.returned = BatchConsumer(name=RETURNED, consumer=self.broker, batches=batches, clock=CLOCK)

    async def give_up(self) -> None:
        """Somebody takes what is on the lane and dies of it, again and again."""
        while self.broker.depth(EMAIL.queue):
            subscription = await self.broker.subscribe(EMAIL.queue, 10)
            await subscription.take(10)
            await subscription.close()

    def start(self) -> None:
        self.tasks = [asyncio.create_task(actor.run()) for actor in (self.returned, self.relay)]

    async def stop(self) -> None:
        self.returned.stop()
        self.relay.stop()
        await asyncio.gather(*self.tasks)


async def test_its_deliveries_are_rows_with_an_alert_to_come_and_pointers_in_the_dead_queue() -> None:
    world = Returned()
    ids = await world.accept(3, packed=True)
    await world.give_up()
    assert world.broker.depth(RETURNED) == 1
    world.start()
    await eventually(lambda: world.broker.depth(EMAIL.dead) == 3)
    assert world.broker.depth(RETURNED) == 0
    for id_ in ids:
        row = world.rows.deliveries[id_]
        assert (row.status, row.reason) == (DeliveryStatus.FAILED, REASON)
        dead_letter = world.rows.dead_letters[id_, row.seq]
        assert (dead_letter.reason, dead_letter.closed_at, dead_letter.alerted_at) == (REASON, None, None)
    [trouble] = world.telemetry.troubled_by("messages.returned")
    assert (trouble["lane"], trouble["pointers"], trouble["dead_letters"]) == (EMAIL.queue, 3, 3)
    await world.stop()


async def test_a_pointer_that_others_have_overtaken_gives_nothing_up() -> None:
    world = Returned()
    [id_] = await world.accept()
    await world.give_up()
    world.rows.deliveries[id_].seq += 1
    world.start()
    await eventually(lambda: world.broker.depth(RETURNED) == 0)
    await world.stop()
    assert world.rows.deliveries[id_].status is DeliveryStatus.QUEUED
    assert not world.rows.dead_letters
    assert world.broker.depth(EMAIL.dead) == 0


async def test_what_nobody_can_read_lies_in_its_lanes_dead_queue_with_its_reason() -> None:
    world = Returned()
    await world.put(b"no pointers")
    await world.put(encode([Pointer(IDS.next(), 1)]))
    await world.give_up()
    world.start()
    await eventually(lambda: world.broker.depth(RETURNED) == 0)
    [dead_letter] = await (await world.broker.subscribe(EMAIL.dead, 10)).take(10)
    await world.stop()
    assert dead_letter.body == b"no pointers"
    assert "not" in dead_letter.headers[HEADER]


async def test_while_the_database_is_away_it_waits() -> None:
    world = Returned()
    [id_] = await world.accept()
    await world.give_up()
    away = True

    class Away:
        """The letters, when they can be reached."""

        async def give_up(self, pointers, reason):
            if away:
                raise StoreUnavailable("away")
            return await dead_letters.give_up(pointers, reason)

    dead_letters = world.engine.give_up.dead_letters
    world.returned.batches = ReturnedBatches(
        give_up=GiveUpDeliveries(dead_letters=Away(), deliveries=world.deliveries, handoff=world),
        publisher=world.broker,
        ids=IDS,
        telemetry=world.telemetry,
    )
    world.start()
    await steadily(lambda: world.rows.deliveries[id_].status is DeliveryStatus.QUEUED, seconds=30)
    away = False
    await eventually(lambda: world.broker.depth(EMAIL.dead) == 1)
    await world.stop()
    assert world.rows.deliveries[id_].status is DeliveryStatus.FAILED
