"""The database away for a minute under load: requests are promised, lanes rest, and every promise is kept."""

import asyncio

import pytest

from application.intake.command import INTAKE
from tests.support.canary import leaks, messages
from tests.support.eventually import eventually, steadily
from tests.support.load import Requests, publish_orders
from tests.support.postgres import PostgresServer
from tests.support.shop import Shop

ORDERS = 200
FRESH = 50
"""Seconds for which what the API knows of keys and templates is fresh enough for certain."""
AWAY = 60
RECIPIENTS = 4


@pytest.mark.timeout(300)
async def test_a_minute_without_the_database(shop: Shop, postgres_server: PostgresServer) -> None:
    names = await shop.users(100)
    await asyncio.gather(*(shop.start(role) for role in ("api", "worker", "events")))
    load, stop = Requests(shop, names, recipients=RECIPIENTS, pace=0.6), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.until(stop))
        await shop.called(100)
        committed = next(iter(load.ids))
        await asyncio.to_thread(postgres_server.stop)
        await eventually(lambda: load.promised)
        group.create_task(publish_orders(shop, names, ORDERS))
        calls = await _rests(shop)

        async def away() -> None:
            await _nothing_can_be_read(shop, f"/api/notifications/{committed}")
            assert await shop.ready() == {"api": True, "worker": False, "events": False}
            assert len(shop.calls()) == calls, "a lane went on without the database"

        async def nobody_is_refused() -> None:
            await away()
            assert not load.refusals

        await steadily(nobody_is_refused, seconds=FRESH, interval=1)
        kept = await asyncio.to_thread(messages, shop, INTAKE)
        assert len(kept[f"queue {INTAKE}"]) > 100, "beside those that the API holds in its hands"
        assert leaks(kept, ["customer-", "request-", "order_confirmation"]) == []
        await steadily(away, seconds=AWAY - FRESH, interval=1)
        assert len(load.promised) * RECIPIENTS >= 2000, "too few were promised to tell"
        await asyncio.to_thread(postgres_server.start)
        asked = len(load.accepted)
        await eventually(lambda: len(load.accepted) >= asked + 100, timeout=60)
        stop.set()
    deliveries = len(load.accepted) * RECIPIENTS + ORDERS
    await shop.at_rest(deliveries, timeout=120)
    assert load.ids > load.promised, "no request was committed at once before and after"
    assert await shop.violations(load.ids, store_lost=True) == []
    assert await shop.sent() == len(shop.calls()) == deliveries, "no worker died: nothing may be called twice"
    assert await shop.value("SELECT count(*) FROM notifications") == len(load.accepted) + ORDERS
    shown = await load.shown()
    assert all(len({each["id"] for each in ids}) == 1 for ids in shown.values()), "one key, two messages"
    assert {each["status"] for ids in shown.values() for each in ids} == {"completed"}
    assert await shop.value("SELECT count(*) FROM notification_aliases") == len(load.ids) - len(load.accepted)
    assert len(load.ids) > len(load.accepted), "no key was used twice: nothing had to be absorbed"


async def _rests(shop: Shop) -> int:
    """Wait until calls under way have ended and no more are made; return how many were."""
    seen = -1

    async def same() -> bool:
        nonlocal seen
        before, seen = seen, len(shop.calls())
        return seen == before

    await eventually(same, interval=1.5)
    return seen


async def _nothing_can_be_read(shop: Shop, path: str) -> None:
    answer = await shop.call("GET", path)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
