"""Consumers that the broker cancels consume again: their queue was deleted, or an ack took too long."""

import asyncio
from collections.abc import AsyncIterator

import aio_pika
import asyncpg
import pytest

from adapters.rabbitmq.consumer import CANCELLED
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.load import Requests, publish_orders
from tests.support.postgres import PostgresServer
from tests.support.process import Child
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop
from tests.support.topology import lay_out

AGAIN_MAX = 10
"""Seconds until it consumes again."""
ACK_MAX = 3
"""Seconds that the broker waits for an ack; it looks now and then."""
CANCELLED_MAX = 20
HELD = "slow-18000+held"
PATIENT = """
[engine]
call_max = "20s"
lease = "31s"
"""
OPEN = "SELECT count(*) FROM delivery_attempts WHERE outcome = 'open'"


@pytest.fixture
async def patient(
    sandbox: Sandbox, postgres_server: PostgresServer, killable_rabbitmq: RabbitServer
) -> AsyncIterator[Shop]:
    """A shop that waits for its provider longer than the broker for an ack."""
    with killable_rabbitmq.consumer_timeout(ACK_MAX):
        async with opened_shop(sandbox, postgres_server, killable_rabbitmq, toml=PATIENT) as shop:
            yield shop


async def test_a_lane_and_the_events_when_their_queues_are_deleted_and_made_anew(
    shop: Shop, killable_rabbitmq: RabbitServer
) -> None:
    """Made anew once the consumers were cancelled.

    When a queue is back within milliseconds RabbitMQ 3.10 does not cancel them: it counts them as consumers
    of the new queue, and the messages that it hands out do not arrive.
    """
    names = await shop.users(10)
    _, *consuming = await asyncio.gather(*(shop.start(role) for role in ("api", "worker", "events")))
    load = Requests(shop, names)
    await load.run(5)
    await publish_orders(shop, names, 5)
    await shop.at_rest(10)
    queues = ("deliver.email.high", "events.ordinary", "events.critical")
    for queue in queues:
        killable_rabbitmq.api("DELETE", f"/queues/{shop.broker.name}/{queue}")
    await eventually(lambda: sum(child.log_text().count(CANCELLED) for child in consuming) >= len(queues))
    await lay_out(shop.broker)

    async with asyncio.timeout(AGAIN_MAX):
        for queue in queues:
            await eventually(lambda queue=queue: _has_consumers(shop, queue), timeout=AGAIN_MAX)
    async with shop.events() as publish:
        await load.run(5)
        reset = {"userId": names[0], "resetUrl": "https://shop.example/reset/1", "expiresInMinutes": 30}
        await publish("user.password_reset_requested", reset, message_id="reset-1")
        order = {"orderId": "anew", "userId": names[0], "total": 9.5, "items": []}
        await publish("order.created", order, message_id="anew-1")
    await shop.at_rest(17)
    assert len(shop.calls()) == 17
    assert await shop.violations(load.ids) == []


async def test_a_lane_when_an_ack_took_too_long(patient: Shop) -> None:
    shop = patient
    held, names = await shop.users(1, name=HELD), await shop.users(10)
    _, worker = await asyncio.gather(shop.start("api"), shop.start("worker"))
    load = Requests(shop, [*held, *names])
    await load.run(1)
    await eventually(lambda: _was_cancelled(worker), timeout=CANCELLED_MAX)

    async with asyncio.timeout(AGAIN_MAX):
        await load.run(10)
        await eventually(lambda: _sent(shop, 10), timeout=AGAIN_MAX)
    assert await shop.value(OPEN) == 1, "the slow call has ended: nothing was tested"

    await shop.at_rest(11)
    assert await shop.violations(load.ids) == []
    assert len(shop.calls()) == 11


async def test_the_events_when_an_ack_took_too_long(patient: Shop) -> None:
    """The database holds their commit up."""
    shop = patient
    names = await shop.users(10)
    await asyncio.gather(shop.start("events"), shop.start("worker"))
    connection = await asyncpg.connect(shop.dsn)
    async with connection.transaction():
        await connection.execute("LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE")
        await publish_orders(shop, names, 20)
        await eventually(lambda: _has_consumers(shop, "events.ordinary", there=False), timeout=CANCELLED_MAX)
    await connection.close()

    async with asyncio.timeout(AGAIN_MAX):
        await publish_orders(shop, names, 40)
        await shop.accepted(40)

    await shop.at_rest(40)
    assert await shop.violations() == []
    assert len(shop.calls()) == 40


def _was_cancelled(child: Child) -> bool:
    """Up to 4.2 the broker closes the channel, later ones cancel the consumer."""
    text = child.log_text()
    return "acknowledgement on channel" in text or "cancelled the consumer" in text


async def _has_consumers(shop: Shop, queue: str, *, there: bool = True) -> bool:
    async with await aio_pika.connect(shop.broker.amqp_url) as connection:
        declared = await (await connection.channel()).declare_queue(queue, passive=True)
        return (declared.declaration_result.consumer_count > 0) == there


async def _sent(shop: Shop, count: int) -> bool:
    return await shop.sent() == count
