"""A channel is removed while pointers to it wait on the ladder: they are parked, and nobody else is late."""

import time
from datetime import timedelta

from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.delay_ladder import DelayLadderPublisher
from application.outbox.pointers import Pointer, encode
from tests.contract.broker import LANE, LATE_MAX, outgoing, take, take_and_ack
from tests.support.accepting import IDS
from tests.support.broker import RabbitServer, VHost
from tests.support.topology import lay_out, links

REMOVED = "deliver.sms.low"
DELAYS = (1, 2, 3, 5)  # seconds; each level and both ways into it


async def test_its_pointers_are_parked_and_other_timers_stay_on_time(
    rabbitmq_server: RabbitServer, vhost: VHost
) -> None:
    """At-least-once dead-lettering stops a whole level after 32 messages without a way."""
    await lay_out(vhost, ["email", "sms"])
    async with links(vhost) as (publishing, consuming):
        later, consumer = DelayLadderPublisher(publishing), RabbitConsumer(consuming)
        lost = [
            outgoing(encode([Pointer(IDS.next(), 1)]), REMOVED, delay=timedelta(seconds=delay))
            for delay in DELAYS
            for _ in range(100 // len(DELAYS))
        ]
        subscription = await consumer.subscribe(LANE, 100)
        sent = time.monotonic()
        assert len((await later.publish_later(lost)).confirmed) == 100
        rabbitmq_server.api("DELETE", f"/queues/{vhost.name}/{REMOVED}")
        kept = [
            outgoing(str(delay).encode(), delay=timedelta(seconds=delay))
            for delay in DELAYS
            for _ in range(25)
        ]
        await later.publish_later(kept)

        late: list[float] = []
        while len(late) < len(kept):
            taken = await take_and_ack(subscription, 1)
            late += [time.monotonic() - sent - int(message.body) for message in taken]

        assert min(late) >= 0
        assert max(late) <= LATE_MAX
        parked = await take(await consumer.subscribe("delay.parked", 200), 100)
        assert {message.body for message in parked} == {message.body for message in lost}
