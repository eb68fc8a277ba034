"""Five thousand notifications called off while workers send them: who is told what, and that it is true."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import pytest

from tests.support.broker import RabbitServer
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

NOTIFICATIONS = 5000
CLIENTS = 24
QUICK = """
[providers.sandbox]
kind = "sandbox"
latency = "50ms"

[engine]
slots = 60
reserve = 10
call_max = "1s"
lease = "11s"
"""
"""Slow enough that cancels come before, during and after the calls."""


@pytest.fixture
async def shop(
    sandbox: Sandbox, postgres_server: PostgresServer, killable_rabbitmq: RabbitServer
) -> AsyncIterator[Shop]:
    async with opened_shop(sandbox, postgres_server, killable_rabbitmq, toml=QUICK) as shop:
        yield shop


async def accepted(shop: Shop, names: Sequence[str]) -> list[UUID]:
    async with aiohttp.ClientSession() as session:
        found: list[UUID] = []
        for start in range(0, NOTIFICATIONS, 500):
            items = [
                {
                    "notificationType": "order_confirmation",
                    "channelType": "email",
                    "priority": "high",
                    "templateId": "order_confirmation_email",
                    "recipientId": names[n % len(names)],
                    "data": {"orderId": f"c-{n}", "total": 1, "items": []},
                }
                for n in range(start, start + 500)
            ]
            answer = await shop.call(
                "POST", "/api/notifications/batch", {"notifications": items}, session=session
            )
            found += [UUID(result["id"]) for result in answer.body["results"]]
    return found


async def test_cancels_that_race_with_workers(shop: Shop) -> None:
    names = await shop.users(100)
    await shop.start("api")
    ids = await accepted(shop, names)
    await asyncio.gather(shop.start("worker"), shop.start("worker"))
    order = random.Random(7).sample(ids, len(ids))
    answered: dict[UUID, dict[str, int]] = {}
    answered_at: dict[UUID, datetime] = {}

    async def client(mine: Sequence[UUID]) -> None:
        async with aiohttp.ClientSession() as session:
            for id_ in mine:
                answer = await shop.call("POST", f"/api/notifications/{id_}/cancel", session=session)
                assert answer.status == 200, answer
                answered[id_], answered_at[id_] = answer.body, datetime.now(UTC)

    await asyncio.gather(*(client(order[n::CLIENTS]) for n in range(CLIENTS)))
    await shop.at_rest(NOTIFICATIONS)

    ends = dict(await shop.fetch("SELECT notification_id, status FROM notification_deliveries"))
    taken = {line.delivery for line in shop.calls() if line.outcome == "accepted"}
    delivery_of = dict(await shop.fetch("SELECT notification_id, id FROM notification_deliveries"))
    kinds = {"cancelled": 0, "alreadySent": 0, "inFlight": 0}
    for id_, answer in answered.items():
        [kind] = [name for name, count in answer.items() if count]
        assert answer[kind] == 1
        kinds[kind] += 1
        expected = {"cancelled": {"cancelled"}, "alreadySent": {"sent"}, "inFlight": {"sent", "cancelled"}}
        assert ends[id_] in expected[kind], (kind, ends[id_])
        assert (delivery_of[id_] in taken) == (ends[id_] == "sent")
    assert all(kinds.values()), f"not every case was met: {kinds}"
    cleared = await shop.fetch(
        """
        SELECT d.notification_id, max(a.cleared_at) FROM delivery_attempts AS a
        JOIN notification_deliveries AS d ON d.id = a.delivery_id GROUP BY 1
        """
    )
    late = [id_ for id_, last in cleared if last > answered_at[id_]]
    assert late == [], "nothing is cleared after its cancel"
    assert await shop.violations(ids) == []
