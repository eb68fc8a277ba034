"""How long the urgent takes while a million others wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import aiohttp
import msgspec
import psutil

from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.event_publisher import RabbitEventPublisher
from adapters.rabbitmq.topology import SHOP_EVENTS
from application.broker.ports import OutgoingEvent
from application.outbox.pointers import decode
from domain.kernel.channel import Lane, Priority
from tests.bench.measure_accepting import USERS
from tests.bench.world import Result, Shop, World, linked, measures, order, percentile
from tests.support.eventually import eventually
from tests.support.process import Child

BACKLOG = 1_000_000
CAMPAIGN = 1000
EVENTS = 200_000
RATE = 100
"""Critical ones a second."""
SECONDS, EMPTY_SECONDS = 25, 10
CRITICAL = Lane("email", Priority.CRITICAL)

Send = Callable[[int], Awaitable[None]]


@measures("backlog_critical_to_lane_p99_ms", "backlog_critical_to_provider_p99_ms")
async def bench_backlog_critical(world: World) -> list[Result]:
    """Over REST: to the lane (nobody but us consumes it), then to the end of the provider's call."""
    async with world.shop() as shop, aiohttp.ClientSession() as session:
        names = await shop.users(USERS)
        await shop.start("api")
        worker = await shop.start("worker", "--priorities", "high,medium,low")

        async def send(number: int) -> None:
            await shop.post(session, "/api/notifications", reset(number, names[number % USERS]))

        empty = [await to_lane(shop, send, EMPTY_SECONDS)]
        await worker.terminate()
        worker = await shop.start("worker")
        empty.append(await to_provider(shop, send, EMPTY_SECONDS))
        await worker.terminate()
        await fill(shop, session, names)
        waiting = [await backlog(shop)]
        worker = await shop.start("worker", "--priorities", "high,medium,low")
        full = [await to_lane(shop, send, SECONDS)]
        await worker.terminate()
        await fill(shop, session, names, up_to=BACKLOG)
        waiting.append(await backlog(shop))
        worker = await shop.start("worker")
        await asyncio.sleep(3)
        memory = rss(worker)
        full.append(await to_provider(shop, send, SECONDS))
        grown = {"worker_mib": [round(memory, 1), round(rss(worker), 1)]}
        left = await backlog(shop)
        return [
            _result(
                "backlog_critical_to_lane_p99_ms", "< 1,000", full[0], empty[0], waiting_at_start=waiting[0]
            ),
            _result(
                "backlog_critical_to_provider_p99_ms",
                "< 2,000",
                full[1],
                empty[1],
                waiting_at_start=waiting[1],
                waiting_at_end=left,
                **grown,
            ),
        ]


@measures("event_backlog_critical_to_lane_p99_ms")
async def bench_event_backlog_critical(world: World) -> list[Result]:
    """Critical events while two hundred thousand ordinary ones wait: from publishing to the lane."""
    async with world.shop() as shop, linked(shop.broker.amqp_url) as link:
        names = await shop.users(USERS)
        publisher = RabbitEventPublisher(link, SHOP_EVENTS)

        async def send(number: int) -> None:
            body = {"userId": names[number % USERS], "resetUrl": "https://shop.example/reset/1"}
            await publisher.publish(_event("user.password_reset_requested", f"reset-{number}", body))

        events = await shop.start("events")
        empty = await to_lane(shop, send, EMPTY_SECONDS)
        await events.terminate()
        for start in range(0, EVENTS, 500):
            batch = (
                _event("order.created", f"order-{n}", {"userId": names[n % USERS], **order("bench", n)})
                for n in range(start, start + 500)
            )
            await asyncio.gather(*(publisher.publish(event) for event in batch))
        await shop.start("events")
        full = await to_lane(shop, send, SECONDS)
        handled = await shop.value("SELECT count(*) FROM idempotency_keys")
        return [
            _result(
                "event_backlog_critical_to_lane_p99_ms",
                "< 1,000",
                full,
                empty,
                waiting_at_start=EVENTS,
                waiting_at_end=max(0, EVENTS + 1 + RATE * (SECONDS + EMPTY_SECONDS) - handled),
            )
        ]


async def fill(shop: Shop, session: aiohttp.ClientSession, names: list[str], up_to: int = BACKLOG) -> None:
    """Campaigns of low priority until so many deliveries wait."""
    missing = up_to - await backlog(shop)
    for n in range(0, max(missing, 0), CAMPAIGN):
        request = {
            "notificationType": "sale",
            "channelType": "email",
            "priority": "low",
            "templateId": "order_confirmation_email",
            "recipients": names[n % USERS :][:CAMPAIGN],
            "data": order("sale", n),
        }
        await shop.post(session, "/api/notifications", request)
    await shop.outbox_empty()
    await shop.execute("VACUUM ANALYZE")


async def backlog(shop: Shop) -> int:
    """Deliveries of low priority that wait."""
    return int(await shop.value("SELECT coalesce(sum(open), 0) FROM notifications WHERE priority = 3"))


async def to_lane(shop: Shop, send: Send, seconds: int) -> list[float]:
    """Milliseconds from sending to holding the pointer, which goes no further."""
    seen: dict[UUID, float] = {}
    async with linked(shop.broker.amqp_url) as link:
        subscription = await RabbitConsumer(link).subscribe(CRITICAL.queue, 1000)

        async def watch() -> None:
            while True:
                for message in await subscription.take(1000):
                    now = time.time()
                    for pointer in decode(message.body):
                        seen.setdefault(pointer.delivery, now)
                    await subscription.ack([message.tag])

        watching = asyncio.ensure_future(watch())
        sent = await _steadily(send, seconds)
        await asyncio.sleep(3)
        watching.cancel()
        await subscription.close()
    rows = await shop.fetch(_CRITICAL, min(sent))
    # In the order in which they were sent they were accepted, but for a few that overtook each other.
    return [(seen[row["id"]] - at) * 1000 for row, at in zip(rows, sorted(sent), strict=True)]


async def to_provider(shop: Shop, send: Send, seconds: int) -> list[float]:
    """Milliseconds from sending to the end of the call."""
    sent = await _steadily(send, seconds)

    async def settled() -> list[float]:
        rows = await shop.fetch(_CRITICAL, min(sent))
        assert all(row["settled"] for row in rows)
        return [row["settled"] for row in rows]

    ends = await eventually(settled, timeout=120, interval=1)
    return [(end - at) * 1000 for end, at in zip(ends, sorted(sent), strict=True)]


_CRITICAL = """
SELECT d.id, extract(epoch FROM a.settled_at)::float AS settled
FROM notification_deliveries AS d LEFT JOIN delivery_attempts AS a ON a.delivery_id = d.id AND a.attempt = 1
WHERE d.priority = 0 AND d.created_at >= to_timestamp($1) - interval '5 ms'
ORDER BY d.id
"""


async def _steadily(send: Send, seconds: int) -> list[float]:
    """`RATE` a second, whatever becomes of the ones before; when each was sent (Unix time)."""
    begun, tasks = time.monotonic(), []
    sent: list[float] = []
    first = time.time_ns() // 1_000_000
    for n in range(seconds * RATE):
        await asyncio.sleep(max(0.0, begun + n / RATE - time.monotonic()))
        sent.append(time.time())
        tasks.append(asyncio.create_task(send(first + n)))
    await asyncio.gather(*tasks)
    return sent


def reset(number: int, name: str) -> dict[str, object]:
    """A password reset over REST."""
    return {
        "notificationType": "password_reset",
        "channelType": "email",
        "priority": "critical",
        "templateId": "password_reset_email",
        "recipientId": name,
        "data": {"resetUrl": f"https://shop.example/reset/{number}"},
    }


def rss(child: Child) -> float:
    """MiB."""
    return float(psutil.Process(child.pid).memory_info().rss / (1 << 20))


def _event(key: str, id_: str, body: object) -> OutgoingEvent:
    return OutgoingEvent(
        routing_key=key,
        body=msgspec.json.encode(body),
        message_id=id_,
        content_type="application/json",
    )


def _result(name: str, goal: str, full: list[float], empty: list[float], **detail: object) -> Result:
    p99 = percentile(full, 0.99)
    return Result(
        name=name,
        value=round(p99, 1),
        unit="ms",
        goal=goal,
        detail={
            "p50_ms": round(percentile(full, 0.5), 1),
            "max_ms": round(max(full), 1),
            "critical": len(full),
            "empty_p99_ms": round(percentile(empty, 0.99), 1),
            "ratio_to_empty": round(p99 / percentile(empty, 0.99), 2),
            **detail,
        },
    )
