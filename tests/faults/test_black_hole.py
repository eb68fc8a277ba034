"""PostgreSQL behind a network that drops packets: nothing is refused or reset, and nobody is kept waiting."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.load import Requests
from tests.support.shop import Answer, Shop

PROMPT = 3.0
"""Seconds in which a request has its answer, the first one too."""
PROBE = 2.0
AT_ONCE = 1.0
"""Once it is known: all of it is the broker's confirm."""


async def test_a_black_hole_keeps_nobody_waiting(shop: Shop) -> None:
    names = await shop.users(10)
    async with FaultProxy(shop.dsn) as proxy:
        through = {"POSTHORN_DB__URL": proxy.url}
        for role in ("api", "worker"):
            await shop.start(role, env=through)
        load = Requests(shop, names, recipients=1)
        await load.run(5)
        await shop.called(5)
        read = f"/api/notifications/{next(iter(load.ids))}"

        async def ask(n: int) -> Answer:
            return await shop.call(
                "POST", "/api/notifications", load.body(f"hole-{n}"), idempotency=f"hole-{n}"
            )

        proxy.black_hole()
        first = await asyncio.gather(*(_timed(lambda n=n: ask(n)) for n in range(20)))
        probes = [await _timed(lambda role=role: shop.readiness(role)) for role in ("api", "worker")]
        assert [(answer.status, answer.body.get("degraded")) for answer, _ in first] == [(202, True)] * 20
        assert max(seconds for _, seconds in first) < PROMPT
        assert max(seconds for _, seconds in probes) < PROBE

        await eventually(lambda: _silent(shop), timeout=10)
        later = [await _timed(lambda n=n: ask(n)) for n in range(20, 50)]
        assert [(answer.status, answer.body.get("degraded")) for answer, _ in later] == [(202, True)] * 30
        assert max(seconds for _, seconds in later) < AT_ONCE, "only the first ones pay"
        unread, seconds = await _timed(lambda: shop.call("GET", read))
        assert (unread.status, seconds < AT_ONCE) == (503, True)
        assert await shop.ready() == {"api": True, "worker": False}

        proxy.heal()
        assert (await eventually(lambda: _usual(lambda: ask(50)), timeout=20)).status == 202
        kept = {answer.id for answer, _ in (*first, *later)}
        for id_ in kept:
            await shop.status(id_, "completed", timeout=60)
        assert await shop.value("SELECT count(*) FROM notifications") == 5 + 51
        await eventually(lambda: _ready(shop), timeout=20)


async def test_a_lock_on_a_table_is_no_conflict(shop: Shop) -> None:
    """Whoever waits for it is promised, as when the database is away; nobody is told of a conflict."""
    names = await shop.users(10)
    await shop.start("api")
    load = Requests(shop, names, recipients=1)
    await load.run(3)

    async def ask(n: int) -> Answer:
        return await shop.call("POST", "/api/notifications", load.body(f"lock-{n}"), idempotency=f"lock-{n}")

    async with _locked(shop, "users"):
        asked = await asyncio.gather(*(_timed(lambda n=n: ask(n)) for n in range(9)))
        assert [(answer.status, answer.body.get("degraded")) for answer, _ in asked] == [(202, True)] * 9
        assert max(seconds for _, seconds in asked) < PROMPT
        later = [await _timed(lambda n=n: ask(n)) for n in range(9, 14)]
        assert {answer.status for answer, _ in later} == {202}
        assert max(seconds for _, seconds in later) < PROMPT
    assert (await eventually(lambda: _usual(lambda: ask(14)), timeout=20)).status == 202
    await shop.accepted(3 + 15)
    assert await shop.value("SELECT count(*) FROM notifications") == 3 + 15


async def _timed(work: Callable[[], Awaitable[Answer]]) -> tuple[Answer, float]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    return await work(), loop.time() - began


async def _silent(shop: Shop) -> bool:
    answer = await shop.readiness("api")
    return "no answer" in answer.body["parts"]["database"]


async def _ready(shop: Shop) -> None:
    assert await shop.ready() == {"api": True, "worker": True}


async def _usual(ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
    """The answer, once it is one of the usual kind."""
    answer = await ask()
    assert not answer.body.get("degraded"), answer
    return answer


@asynccontextmanager
async def _locked(shop: Shop, table: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(shop.dsn)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table}")
            yield
    finally:
        await connection.close()
