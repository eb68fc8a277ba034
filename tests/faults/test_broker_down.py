"""The broker away for a minute under load: acceptance goes on, and nothing is called twice.

After half of it the API calls itself unready, and accepts all the same what comes to it.
"""

import asyncio

import pytest

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually, steadily
from tests.support.load import Requests
from tests.support.process import Child
from tests.support.shop import Shop

QUEUED = "SELECT count(*) FROM notification_deliveries WHERE status = 'queued'"
AWAY, HOPEFUL = 60, 25
"""Seconds that it is away, and that an API which publishes nothing counts as ready at least: `relay.away_max`
is 30.
"""
RECIPIENTS = 4


@pytest.mark.timeout(300)
async def test_a_minute_without_the_broker(shop: Shop, killable_rabbitmq: RabbitServer) -> None:
    names = await shop.users(100)
    roles = await asyncio.gather(*(shop.start(role) for role in ("api", "worker", "events")))
    load, stop = Requests(shop, names, recipients=RECIPIENTS, pace=0.6), asyncio.Event()
    for role in roles:
        await eventually(lambda role=role: _looks(role, 1), timeout=30)
    async with asyncio.TaskGroup() as group:
        group.create_task(load.until(stop))
        await shop.called(100)
        await asyncio.to_thread(killable_rabbitmq.kill)
        await eventually(lambda: _pending(shop))
        accepted = len(load.accepted)

        async def away(*hopeful: bool) -> None:
            ready = await shop.ready()
            assert ready.pop("api") in hopeful
            assert ready == {"worker": False, "events": False}
            assert not load.refusals, "acceptance does not need the broker"

        await steadily(lambda: away(True), seconds=HOPEFUL, interval=1)
        await steadily(lambda: away(True, False), seconds=AWAY - HOPEFUL, interval=1)
        await away(False)
        assert (len(load.accepted) - accepted) * RECIPIENTS >= 2000, "too few were accepted to tell"
        asked = len(load.accepted) - accepted
        assert await shop.value(QUEUED) >= asked * RECIPIENTS, "somebody was told without a broker"
        await asyncio.to_thread(killable_rabbitmq.start)
        asked = len(load.accepted)
        await eventually(lambda: len(load.accepted) >= asked + 100, timeout=60)
        stop.set()
    deliveries = len(load.accepted) * RECIPIENTS
    await shop.at_rest(deliveries, timeout=120)
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == len(shop.calls()) == deliveries, "no worker died: nothing may be called twice"
    assert await shop.value("SELECT count(*) FROM notifications") == len(load.accepted) == len(load.ids)
    for role in roles:
        looks = await eventually(lambda role=role: _looks(role, 2), timeout=30)
        assert "broker.reissued" not in looks, "nothing was lost"


def _looks(role: Child, connects: int) -> list[str]:
    looks = [line["event"] for line in role.log_lines() if line["event"].startswith("broker.")]
    assert looks.count("broker.intact") + looks.count("broker.marked") >= connects, "it looks at each connect"
    return looks


async def _pending(shop: Shop) -> int:
    return int(await shop.value("SELECT count(*) FROM outbox"))
