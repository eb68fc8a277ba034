"""A broker short of memory or disk: acceptance and consumers go on, publishers wait, and it is told."""

import pytest

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.load import Requests
from tests.support.shop import Shop

BACKLOG, MORE = 400, 200  # deliveries
RECIPIENTS = 4
REPORTED_MAX = 10
"""Seconds until a publish has timed out and readiness tells."""


@pytest.mark.parametrize("resource", ["memory", "disk"])
async def test_publishers_wait_consumers_go_on(
    shop: Shop, killable_rabbitmq: RabbitServer, resource: str
) -> None:
    names = [*await shop.users(90), *await shop.users(10, name="defer-1+later")]
    api = await shop.start("api")
    load = Requests(shop, names, recipients=RECIPIENTS)
    await shop.channel("email", isPaused=True)
    await load.run(BACKLOG // RECIPIENTS)
    await eventually(lambda: _outbox_is_empty(shop), timeout=30)
    await shop.start("worker")

    with killable_rabbitmq.alarm(resource):
        await load.run(MORE // RECIPIENTS)
        await eventually(lambda: _readiness_is(shop, "api", 200), timeout=REPORTED_MAX)
        await eventually(lambda: "relay.waits" in api.log_text(), timeout=REPORTED_MAX)
        await shop.channel("email", isPaused=False)
        # Not all: what a busy worker finds no time to call goes back through the outbox, and waits there.
        await shop.called(BACKLOG // 2)
        await eventually(lambda: _readiness_is(shop, "worker", 503), timeout=REPORTED_MAX)
        assert await shop.value("SELECT count(*) FROM outbox") > 0, "nothing waited: nothing was tested"

    await shop.at_rest(BACKLOG + MORE)
    assert not load.retries, "acceptance does not need the broker"
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == BACKLOG + MORE
    for role in ("api", "worker"):
        answer = await shop.readiness(role)
        assert (answer.status, answer.body["parts"]["broker"]) == (200, "ok")


async def _readiness_is(shop: Shop, role: str, status: int) -> None:
    answer = await shop.readiness(role)
    assert "alarm" in answer.body["parts"]["broker"]
    assert answer.status == status


async def _outbox_is_empty(shop: Shop) -> bool:
    return await shop.value("SELECT count(*) FROM outbox") == 0
