"""Servers restarted and killed under load: work goes on by itself, and nothing is sent twice."""

import asyncio

import pytest

from tests.support.broker import RabbitServer
from tests.support.load import Requests, publish_orders
from tests.support.postgres import PostgresServer
from tests.support.shop import Shop

DELIVERIES = 2000
ORDERS = 500


@pytest.mark.parametrize("fault", ["stop", "kill"])
async def test_rabbitmq(shop: Shop, killable_rabbitmq: RabbitServer, fault: str) -> None:
    names = await shop.users(100)
    await shop.start("all")
    load = Requests(shop, names, recipients=4)
    part = DELIVERIES // 4 // 4
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(2 * part))
        await publish_orders(shop, names, ORDERS)
        await shop.called(DELIVERIES // 4)
        await asyncio.to_thread(getattr(killable_rabbitmq, fault))
    await load.run(part)  # without a broker, acceptance goes on, into the outbox
    assert (
        await shop.value("SELECT count(*) FROM notification_deliveries WHERE status = 'queued'") >= part * 4
    )
    assert await shop.value("SELECT count(*) FROM outbox") > 0
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(killable_rabbitmq.start))
        group.create_task(load.run(part))
    await _everything_sent_once(shop, load, DELIVERIES)
    assert not load.retries, "acceptance does not need the broker"
    assert await shop.violations(load.ids) == []


async def test_postgresql(shop: Shop, postgres_server: PostgresServer) -> None:
    """Restarted, then killed: one wait for the leases of those attempts whose begin got no answer."""
    names = await shop.users(100)
    await shop.start("all")
    load = Requests(shop, names, recipients=8)
    part = 2 * DELIVERIES // 8 // 4
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(2 * part))
        group.create_task(publish_orders(shop, names, ORDERS))
        for share, fault in ((1, postgres_server.stop), (2, postgres_server.kill)):
            await shop.called(share * DELIVERIES // 2)
            group.create_task(load.run(part))
            await asyncio.to_thread(fault)
            await asyncio.to_thread(postgres_server.start)
    await _everything_sent_once(shop, load, 2 * DELIVERIES)
    assert load.promised, "no request met the fault: nothing was tested"
    assert await shop.violations(load.ids, store_lost=True) == []


async def _everything_sent_once(shop: Shop, load: Requests, asked: int) -> None:
    await shop.at_rest(asked + ORDERS)
    assert await shop.value("SELECT count(*) FROM notifications") == len(load.accepted) + ORDERS
    assert await shop.sent() == asked + ORDERS
    assert len(shop.calls()) == asked + ORDERS, "no worker died: nothing may be called twice"
