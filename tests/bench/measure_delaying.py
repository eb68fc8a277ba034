"""The delay ladder: how many messages it takes, and how late they come down."""

import asyncio
import itertools
import random
import time
from datetime import timedelta
from uuid import uuid4

from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.delay_ladder import DelayLadderPublisher
from application.broker.ports import Outgoing
from application.outbox.pointers import Pointer, encode
from domain.kernel.channel import Lane, Priority
from tests.bench.world import Result, World, linked, percentile

IN_FLIGHT = 10_000
SECONDS = 20.0
DELAYS = (1, 10)  # seconds
BATCH, BATCHES = 250, 2  # as the relay publishes
LANE = Lane("email", Priority.HIGH)


async def bench_delay_lateness_p99_ms(world: World) -> Result:
    """Messages with random delays, published as fast as can be, beside the lane's consumer."""
    async with world.shop() as shop, linked(shop.broker.amqp_url) as to, linked(shop.broker.amqp_url) as of:
        ladder, dice = DelayLadderPublisher(to), random.Random(1)
        subscription = await RabbitConsumer(of).subscribe(LANE.queue, 1000)
        due: dict[str, float] = {}
        late: list[float] = []

        async def come_down() -> None:
            while len(late) < IN_FLIGHT:
                messages = await subscription.take(1000)
                now = time.monotonic()
                late.extend((now - due[str(m.headers["x-posthorn-id"])]) * 1000 for m in messages)
                await subscription.ack([message.tag for message in messages])

        consuming = asyncio.create_task(come_down())
        batches = iter([_batch(dice) for _ in range(IN_FLIGHT // BATCH)])

        async def go_up() -> None:
            for batch in batches:
                now = time.monotonic()
                due.update((str(m.id), now + m.delay.total_seconds()) for m in batch if m.delay)
                assert len((await ladder.publish_later(batch)).confirmed) == BATCH

        started, before = time.monotonic(), shop.cpu(None)
        await asyncio.gather(*(go_up() for _ in range(BATCHES)))
        published = time.monotonic() - started
        still = IN_FLIGHT - len(late)
        await consuming
        await subscription.close()
        return Result(
            name="delay_lateness_p99_ms",
            value=round(percentile(late, 0.99)),
            unit="ms",
            goal="< 1,000",
            detail={
                "p50_ms": round(percentile(late, 0.5)),
                "max_ms": round(max(late)),
                "early": sum(each < 0 for each in late),
                "messages": IN_FLIGHT,
                "in_flight_when_published": still,
                "published_per_s": round(IN_FLIGHT / published),
                "cpu_us_per_message": shop.cpu_each(None, before, IN_FLIGHT),
            },
        )


async def bench_delay_publish(world: World) -> Result:
    """Published and confirmed while what was published before comes down, and nobody takes it."""
    async with world.shop() as shop, linked(shop.broker.amqp_url) as to:
        ladder, dice = DelayLadderPublisher(to), random.Random(1)
        ready = [_batch(dice) for _ in range(100)]
        ends = time.monotonic() + SECONDS
        confirmed = 0

        async def go_up() -> None:
            nonlocal confirmed
            for batch in itertools.cycle(ready):
                confirmed += len((await ladder.publish_later(batch)).confirmed)
                if time.monotonic() > ends:
                    return

        started, before = time.monotonic(), shop.cpu(None)
        await asyncio.gather(*(go_up() for _ in range(BATCHES)))
        seconds = time.monotonic() - started
        return Result(
            name="delay_publish",
            value=round(confirmed / seconds),
            unit="messages/s",
            goal=">= 2,000",
            detail={
                "messages": confirmed,
                "seconds": round(seconds, 1),
                "cpu_us_per_message": shop.cpu_each(None, before, confirmed),
            },
        )


def _batch(dice: random.Random) -> list[Outgoing]:
    return [
        Outgoing(
            id=uuid4(),
            queue=LANE.queue,
            body=encode([Pointer(uuid4(), 1)]),
            delay=timedelta(seconds=dice.randint(*DELAYS)),
        )
        for _ in range(BATCH)
    ]
