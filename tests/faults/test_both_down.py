"""Database and broker killed together under load: nobody is told that anything was accepted."""

import asyncio

import pytest

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually, steadily
from tests.support.load import Requests
from tests.support.postgres import PostgresServer
from tests.support.shop import Shop

DELIVERIES = 2000
RECIPIENTS = 4
AWAY = 15


@pytest.mark.timeout(240)
async def test_without_either_nothing_is_accepted(
    shop: Shop, postgres_server: PostgresServer, killable_rabbitmq: RabbitServer
) -> None:
    names = await shop.users(100)
    await asyncio.gather(shop.start("api"), shop.start("worker"))
    load, stop = Requests(shop, names, recipients=RECIPIENTS, pace=0.3), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.until(stop))
        await shop.called(DELIVERIES // 10)
        await asyncio.gather(*map(asyncio.to_thread, (postgres_server.kill, killable_rabbitmq.kill)))
        await eventually(lambda: load.refusals[503])
        taken = len(load.ids)

        async def nothing_is_taken() -> None:
            answer = await shop.call("POST", "/api/notifications", {**ORDER, "recipientId": names[0]})
            assert answer.status == 503
            assert answer.body["type"] == "/problems/unavailable"
            assert int(answer.headers["Retry-After"]) > 0
            assert len(load.ids) == taken
            assert await shop.ready() == {"api": False, "worker": False}

        await steadily(nothing_is_taken, seconds=AWAY, interval=1)
        await asyncio.to_thread(killable_rabbitmq.start)
        await eventually(lambda: load.promised, timeout=30)
        await asyncio.to_thread(postgres_server.start)
        await eventually(lambda: len(load.accepted) * RECIPIENTS >= DELIVERIES, timeout=90)
        stop.set()
    deliveries = len(load.accepted) * RECIPIENTS
    await shop.at_rest(deliveries)
    assert await shop.violations(load.ids, store_lost=True) == []
    assert await shop.sent() == len(shop.calls()) == deliveries, "no worker died: nothing may be called twice"
    assert await shop.value("SELECT count(*) FROM notifications") == len(load.accepted)
    shown = await load.shown()
    assert {each["status"] for ids in shown.values() for each in ids} == {"completed"}


ORDER = {
    "notificationType": "order_confirmation",
    "templateId": "order_confirmation_email",
    "data": {"orderId": "refused", "total": 1, "items": []},
}
