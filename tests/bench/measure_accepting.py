"""How fast the three entrances accept."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec

from adapters.rabbitmq.event_publisher import RabbitEventPublisher
from adapters.rabbitmq.topology import SHOP_EVENTS
from application.broker.ports import OutgoingEvent
from tests.bench.http_load import load
from tests.bench.world import Result, Shop, World, linked, order, percentile

USERS = 10_000
SECONDS = 25.0


async def bench_accept_http(world: World) -> Result:
    """POST /api/notifications with key, idempotency key and template check."""
    async with world.shop() as shop:
        names = await shop.users(USERS)
        api = await shop.start("api")
        numbers = itertools.count()
        before = shop.cpu(api)

        def body() -> tuple[bytes, dict[str, str]]:
            n = next(numbers)
            return msgspec.json.encode(single(n, names[n % USERS])), {"Idempotency-Key": f"bench-{n}"}

        report = await load(
            shop.urls["api"] + "/api/notifications", key=shop.key, body=body, connections=64, seconds=SECONDS
        )
        await shop.outbox_empty()
        return Result(
            name="accept_http",
            value=round(report.rate),
            unit="requests/s",
            goal=">= 1,500",
            detail={
                "p50_ms": report.p50_ms,
                "p99_ms": report.p99_ms,
                "cpu_us_per_request": shop.cpu_each(api, before, next(numbers)),
                **await _rows(shop),
            },
        )


async def bench_accept_batch(world: World) -> Result:
    """POST /api/notifications/batch, 500 items each, four at a time."""
    async with world.shop() as shop:
        names = await shop.users(USERS)
        api = await shop.start("api")
        numbers = itertools.count()
        before = shop.cpu(api)
        ends = time.monotonic() + SECONDS
        accepted = 0

        async def client(session: aiohttp.ClientSession) -> None:
            nonlocal accepted
            while time.monotonic() < ends:
                batch = [single(n, names[n % USERS]) for n in itertools.islice(numbers, 500)]
                await shop.post(session, "/api/notifications/batch", {"notifications": batch})
                accepted += len(batch)

        async with aiohttp.ClientSession() as session:
            seconds = await _timed(lambda: asyncio.gather(*(client(session) for _ in range(4))))
        await shop.outbox_empty()
        rows = await _rows(shop)
        return Result(
            name="accept_batch",
            value=round(accepted / seconds),
            unit="notifications/s",
            goal=">= 5,000",
            detail={
                "accepted": accepted,
                "seconds": round(seconds, 1),
                "cpu_us_per_notification": shop.cpu_each(api, before, accepted),
                **rows,
            },
        )


async def bench_accept_events(world: World) -> Result:
    """Shop events waiting on the queue, a trigger each: from exchange to committed notification."""
    events = 160_000
    async with world.shop() as shop:
        names = await shop.users(USERS)
        async with linked(shop.vhost.amqp_url) as link:
            publisher = RabbitEventPublisher(link, SHOP_EVENTS)
            for start in range(0, events, 500):
                batch = (_event(n, names[n % USERS]) for n in range(start, start + 500))
                await asyncio.gather(*(publisher.publish(event) for event in batch))
        consumer = await shop.start("events")
        before = shop.cpu(consumer)
        seen: list[tuple[float, int]] = []
        while not seen or seen[-1][1] < events:
            done = await shop.value("SELECT count(*) FROM idempotency_keys")
            seen.append((time.monotonic(), done))
            await asyncio.sleep(0.5)
        steady = [(at, done) for at, done in seen if 0.05 * events <= done <= 0.97 * events]
        await shop.outbox_empty()
        rate = (steady[-1][1] - steady[0][1]) / (steady[-1][0] - steady[0][0])
        steps = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(steady)]
        return Result(
            name="accept_events",
            value=round(rate),
            unit="events/s",
            goal=">= 2,000",
            detail={
                "steady_s": round(steady[-1][0] - steady[0][0], 1),
                "rate_p10": round(percentile(steps, 0.1)),
                "cpu_us_per_event": shop.cpu_each(consumer, before, events),
                **await _rows(shop),
            },
        )


def single(number: int, name: str) -> dict[str, object]:
    return {
        "notificationType": "order_confirmation",
        "channelType": "email",
        "priority": "high",
        "templateId": "order_confirmation_email",
        "recipientId": name,
        "data": order("bench", number),
    }


def _event(number: int, name: str) -> OutgoingEvent:
    return OutgoingEvent(
        routing_key="order.created",
        body=msgspec.json.encode({"userId": name, **order("bench", number)}),
        message_id=f"event-{number}",
        content_type="application/json",
    )


async def _rows(shop: Shop) -> dict[str, int]:
    return {
        "notifications": await shop.value("SELECT count(*) FROM notifications"),
        "deliveries": await shop.value("SELECT count(*) FROM notification_deliveries"),
        "outbox_at_end": await shop.value("SELECT count(*) FROM outbox"),
    }


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    started = time.monotonic()
    await work()
    return time.monotonic() - started
