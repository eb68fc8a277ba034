"""How long a message takes from the door to its lane when nothing else is going on."""

import asyncio
import time

import aiohttp

from adapters.rabbitmq.consumer import RabbitConsumer
from domain.kernel.channel import Lane, Priority
from tests.bench.measure_accepting import single
from tests.bench.world import Result, World, linked, percentile

REQUESTS = 500


async def bench_accept_to_lane_p99_ms(world: World) -> Result:
    """From sending the request to holding its pointer, one request at a time."""
    async with world.shop() as shop:
        names = await shop.users(100)
        await shop.start("api")
        lane = Lane("email", Priority.HIGH)
        waits: list[float] = []
        async with linked(shop.vhost.amqp_url) as link, aiohttp.ClientSession() as session:
            subscription = await RabbitConsumer(link).subscribe(lane.queue, 10)
            for n in range(REQUESTS):
                started = time.monotonic()
                body = single(n, names[n % 100])
                posting = asyncio.ensure_future(shop.post(session, "/api/notifications", body))
                [message] = await subscription.take(1)
                waits.append((time.monotonic() - started) * 1000)
                await subscription.ack([message.tag])
                await posting
                await asyncio.sleep(0.02)
            await subscription.close()
        waits = waits[20:]
        return Result(
            name="accept_to_lane_p99_ms",
            value=round(percentile(waits, 0.99), 1),
            unit="ms",
            goal="< 50",
            detail={"p50_ms": round(percentile(waits, 0.5), 1), "requests": len(waits)},
        )
