"""The broker's data lost under load: one process issues everything again, and a restart nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from application.outbox.pointers import Pointer, decode
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.load import Requests
from tests.support.process import Child
from tests.support.shop import Shop

DELIVERIES = 2000
RECIPIENTS = 4
SLOW = {"POSTHORN_ENGINE__SLOTS": "40", "POSTHORN_ENGINE__RESERVE": "4"}
"""So few calls at a time that lanes are full when their data is lost."""


@pytest.mark.timeout(300)
async def test_a_wiped_broker(shop: Shop, killable_rabbitmq: RabbitServer) -> None:
    names = [
        *await shop.users(80),
        *await shop.users(10, name="defer-2+"),
        *await shop.users(10, name="refuse+"),
    ]
    await shop.mark()
    roles = await asyncio.gather(shop.start("api"), shop.start("events"), shop.start("worker", env=SLOW))
    load = Requests(shop, names, recipients=RECIPIENTS)
    part = DELIVERIES // RECIPIENTS // 2
    await load.run(part)
    await eventually(lambda: _waiting(killable_rabbitmq, shop, "deliver.email.high"), timeout=30)
    await eventually(lambda: _waiting(killable_rabbitmq, shop, "deliver.email.high.dlq"), timeout=30)
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(part))
        await _lose_everything(killable_rabbitmq, shop)
    await shop.at_rest(DELIVERIES, timeout=120)
    assert await shop.violations(load.ids) == []
    refused = await shop.value("SELECT count(*) FROM dead_letter_queue WHERE closed_at IS NULL")
    assert refused == DELIVERIES // 10
    assert await shop.sent() == DELIVERIES - refused
    await eventually(lambda: _dead_letters_are_there(killable_rabbitmq, shop), timeout=30)
    [issued] = await eventually(lambda: _logged(roles, "broker.reissued"), timeout=30)
    assert issued["pointers"] > 100, "hardly anything was lost: nothing was tested"
    assert issued["dead_letters"] > 0

    others = 2 * len(roles) - 1  # all have found the marker at the start; after the loss one has marked
    await eventually(lambda: len(_logged(roles, "broker.intact")) >= others, timeout=30)
    before, looked = await _numbers(shop), len(_logged(roles, "broker.intact"))
    await asyncio.to_thread(killable_rabbitmq.restart)
    await eventually(lambda: len(_logged(roles, "broker.intact")) >= looked + len(roles), timeout=30)
    assert await _numbers(shop) == before, "a restart without a loss has issued something"
    assert len(_logged(roles, "broker.reissued")) == 1


async def test_without_a_management_api_it_waits_for_an_operator(
    shop: Shop, killable_rabbitmq: RabbitServer
) -> None:
    names = await shop.users(10)
    await shop.mark()
    by_hand = {"POSTHORN_AMQP__MANAGEMENT_URL": ""}
    roles = await asyncio.gather(shop.start("api", env=by_hand), shop.start("worker", env=by_hand | SLOW))
    load = Requests(shop, names, recipients=RECIPIENTS)
    await load.run(200)
    await eventually(lambda: _waiting(killable_rabbitmq, shop, "deliver.email.high"), timeout=30)
    await _lose_everything(killable_rabbitmq, shop)
    lacking = await eventually(lambda: _logged(roles, "broker.lacking"), timeout=30)
    assert lacking[0]["lacking"] == "queue deliver.email.critical is missing"
    assert lacking[0]["mend"] == "posthorn topology apply"
    await shop.command("topology", "apply")
    await eventually(lambda: _logged(roles, "broker.reissued"), timeout=30)
    await shop.at_rest(200 * RECIPIENTS, timeout=120)
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == len(shop.calls()) == 200 * RECIPIENTS
    assert len(_logged(roles, "broker.reissued")) == 1


async def _lose_everything(server: RabbitServer, shop: Shop) -> None:
    """The data folder, and with it the virtual host, which an operator makes again."""
    await asyncio.to_thread(server.wipe)
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(server.create_vhost, shop.broker.name)


def _logged(roles: Sequence[Child], event: str) -> list[dict[str, Any]]:
    return [line for role in roles for line in role.log_lines() if line["event"] == event]


def _at(shop: Shop, queue: str) -> str:
    return f"/queues/{quote(shop.broker.name, safe='')}/{queue}"


async def _waiting(server: RabbitServer, shop: Shop, queue: str) -> bool:
    found = await asyncio.to_thread(server.api, "GET", _at(shop, queue))
    return bool(found.get("messages"))


async def _dead_letters_are_there(server: RabbitServer, shop: Shop) -> None:
    """Each at least once: what failed while the broker was away is issued twice, and then one is stale."""
    wanted = {"count": 10_000, "ackmode": "ack_requeue_true", "encoding": "auto"}
    queue = _at(shop, "deliver.email.high.dlq")
    found = await asyncio.to_thread(server.api, "POST", f"{queue}/get", wanted)
    pointers = {pointer for message in found for pointer in decode(message["payload"].encode())}
    rows = await shop.fetch("SELECT delivery_id, seq FROM dead_letter_queue WHERE closed_at IS NULL")
    assert pointers == {Pointer(row["delivery_id"], row["seq"]) for row in rows}


async def _numbers(shop: Shop) -> tuple[UUID, int, int]:
    """The marker, and what moves whenever a pointer is issued."""
    marker = await shop.value("SELECT id FROM broker_marker")
    issued = await shop.value("SELECT sum(seq) FROM notification_deliveries")
    return marker, issued, await shop.value("SELECT count(*) FROM outbox")
