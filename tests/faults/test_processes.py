"""Processes killed in mid-stream: nothing is lost, and only calls in flight are made again, visibly."""

import asyncio
import signal

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.load import Requests, publish_orders
from tests.support.shop import Shop

DELIVERIES = 2000


async def test_a_killed_worker(shop: Shop) -> None:
    names = await shop.users(100)
    _, worker = await asyncio.gather(shop.start("api"), shop.start("worker"))
    load = Requests(shop, names, recipients=4)
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(DELIVERIES // 4))
        await shop.called(DELIVERIES // 4)
        await shop.kill_in_mid_call(worker)
        await shop.again(worker, "worker")
        await shop.called(DELIVERIES * 3 // 4)
        await shop.kill_in_mid_call(worker)
        await shop.again(worker, "worker")
    await shop.at_rest(DELIVERIES)
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == DELIVERIES
    for death in shop.deaths:
        assert await shop.unknown_of(death), "no call was in flight at the kill: nothing was tested"


async def test_a_killed_api(shop: Shop) -> None:
    names = await shop.users(100)
    api, _ = await asyncio.gather(shop.start("api"), shop.start("worker"))
    load = Requests(shop, names, recipients=2)
    part = DELIVERIES // 2 // 4
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(2 * part))
        for share in (1, 2):
            await eventually(lambda share=share: len(load.accepted) >= share * part, timeout=60)
            group.create_task(load.run(part))
            await shop.kill(api)
            await shop.again(api, "api")
    await shop.at_rest(DELIVERIES)
    assert load.retries, "no request was under way at a kill: nothing was tested"
    assert await shop.violations(load.ids) == []
    assert await shop.value("SELECT count(*) FROM notifications") == len(load.ids) == 4 * part
    assert await shop.sent() == DELIVERIES
    assert len(shop.calls()) == DELIVERIES, "no worker died: nothing may be called twice"


async def test_what_a_killed_api_left_in_the_outbox(shop: Shop, killable_rabbitmq: RabbitServer) -> None:
    names = await shop.users(100)
    worker = await shop.start("worker")
    killable_rabbitmq.permit(shop.broker.name, write=False)
    api = await shop.start("api")
    load = Requests(shop, names, recipients=4)
    await load.run(DELIVERIES // 4)
    assert not shop.calls()
    await shop.kill(api)
    killable_rabbitmq.permit(shop.broker.name)
    await shop.at_rest(DELIVERIES)
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == len(shop.calls()) == DELIVERIES
    assert any(line["event"] == "outbox.adopted" for line in worker.log_lines())


async def test_a_killed_events_consumer(shop: Shop) -> None:
    names = await shop.users(100)
    events, _ = await asyncio.gather(shop.start("events"), shop.start("worker"))
    async with asyncio.TaskGroup() as group:
        group.create_task(publish_orders(shop, names, DELIVERIES))
        for share in (1, 2):
            await shop.accepted(share * DELIVERIES // 4)
            await shop.kill(events)
            await shop.again(events, "events")
    await shop.at_rest(DELIVERIES)
    assert await shop.violations() == []
    assert await shop.sent() == await shop.value("SELECT count(*) FROM notifications") == DELIVERIES
    assert len(shop.calls()) == DELIVERIES, "no worker died: nothing may be called twice"


async def test_an_overtaken_worker_cannot_settle(shop: Shop) -> None:
    names = await shop.users(100)
    _, worker = await asyncio.gather(shop.start("api"), shop.start("worker"))
    load = Requests(shop, names, recipients=4)
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(DELIVERIES // 4))
        await shop.called(DELIVERIES // 4)
        stopped = await shop.stop_in_mid_call(worker)
        await shop.start("worker")
        await shop.cut_off(worker)
    await shop.at_rest(DELIVERIES)  # its leases have ended, its successor has done its work
    settled = await shop.value(ATTEMPTS_OF, stopped)
    worker.signal(signal.SIGCONT)
    await eventually(lambda: "settle.overtaken" in worker.log_text(), timeout=20)
    assert await worker.terminate() == 0
    assert await shop.value(ATTEMPTS_OF, stopped) == settled, "the overtaken worker has written"
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == DELIVERIES


ATTEMPTS_OF = """
SELECT array_agg((delivery_id, attempt, outcome)::text ORDER BY delivery_id, attempt)
FROM delivery_attempts WHERE worker = $1
"""
