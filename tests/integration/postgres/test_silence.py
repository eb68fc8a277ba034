"""PostgreSQL behind a network that drops packets: who is waited for has an answer within three seconds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import copy_context

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.core.readiness import can_accept
from adapters.postgres.core.sessions import Connection
from application.kernel import budget
from domain.kernel.errors import StoreUnavailable
from tests.support.fault_proxy import Fault, FaultProxy

BUDGET = 0.5
PROMPT = BUDGET + 3 - budget.SECONDS
"""Seconds within which whoever has such a budget has an answer: with the usual one it is three."""
Way = Callable[[Database], Awaitable[object]]


@pytest.fixture
async def proxy(database: str) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(database) as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: FaultProxy) -> AsyncIterator[Database]:
    """A database at the other end of the proxy."""
    async with Database(proxy.url) as far:
        yield far


async def fetch(database: Database) -> object:
    return await database.fetch("SELECT 1")


async def run(database: Database) -> object:
    async def work(connection: Connection) -> None:
        await connection.execute("SELECT 1")

    return await database.run(work)


async def fetch_list(database: Database) -> object:
    return await database.fetch_list("SELECT 1")


WAYS = [fetch, run, fetch_list]


async def within(seconds: float, work: Awaitable[object]) -> None:
    """It fails as it should, in time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(20):
            await work
    assert loop.time() - began < seconds


def budgeted(work: Callable[[], Awaitable[object]]) -> Awaitable[object]:
    """As a request does it."""

    async def request() -> object:
        budget.begin(BUDGET)
        return await work()

    return asyncio.create_task(request(), context=copy_context())


@pytest.mark.parametrize("known", [True, False], ids=["connected", "connecting"])
async def test_a_request_does_not_wait_for_a_black_hole(
    proxy: FaultProxy, far: Database, known: bool
) -> None:
    if known:
        await asyncio.gather(*(way(far) for way in WAYS))
    proxy.black_hole()
    await asyncio.gather(*(within(PROMPT, budgeted(lambda way=way: way(far))) for way in WAYS))
    proxy.heal()
    async with asyncio.timeout(5):
        await asyncio.gather(*(way(far) for way in WAYS))


@pytest.mark.parametrize("where", ["statement", "commit"])
async def test_nor_for_one_that_opens_in_the_middle_of_a_transaction(
    proxy: FaultProxy, far: Database, where: str
) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute("SELECT 1")
        proxy.black_hole()
        if where == "statement":
            await connection.execute("SELECT 2")

    await within(PROMPT, budgeted(lambda: far.run(work)))
    proxy.heal()
    async with asyncio.timeout(5):
        await run(far)


async def test_all_the_waits_of_a_request_share_its_budget(proxy: FaultProxy, far: Database) -> None:
    proxy.black_hole()

    async def request() -> None:
        for way in WAYS:
            with pytest.raises(StoreUnavailable):
                await way(far)
        raise StoreUnavailable("all of them were refused")

    await within(PROMPT, budgeted(request))


async def test_silence_is_found_out_once_for_all(proxy: FaultProxy, far: Database) -> None:
    await far.liveness.check()
    await fetch(far)
    assert far.silent() is None
    proxy.black_hole()
    await far.liveness.check()
    assert far.silent()
    for way in WAYS:
        await within(0.2, budgeted(lambda way=way: way(far)))
    proxy.heal()
    await far.liveness.check()
    assert far.silent() is None
    await budgeted(lambda: fetch(far))


@pytest.mark.parametrize("fault", [Fault.HANG_UP, Fault.RESET, Fault.GARBAGE])
async def test_what_answers_with_an_error_is_not_silent(
    proxy: FaultProxy, far: Database, fault: Fault
) -> None:
    """Whoever asks is told at once, and need not be kept from asking."""
    await far.liveness.check()
    proxy.greet(fault)
    proxy.strike(fault)
    await far.liveness.check()
    assert far.silent() is None


async def test_a_server_that_is_slow_for_a_moment_is_not_silent(proxy: FaultProxy, far: Database) -> None:
    """What stood is struck dumb; who connects anew is answered."""
    await far.liveness.check()
    proxy.strike(Fault.SILENT)
    await far.liveness.check()
    assert far.silent() is None


async def test_ready_is_who_has_what_accepting_needs(store: Database, database: str) -> None:
    async with Database(database) as other:
        for table in ("users", "outbox", "notifications", "api_keys", "notification_templates"):
            async with other.transaction() as holder:
                await holder.execute(f"LOCK TABLE {table}")
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await can_accept(store)
            await can_accept(store)


async def test_a_standby_is_not_ready(store: Database, database: str) -> None:
    async with Database(database) as other:
        await other.fetch(
            f'ALTER DATABASE "{database.rpartition("/")[2]}" SET default_transaction_read_only = on'
        )
    async with Database(database) as replica:
        with pytest.raises(StoreUnavailable, match="read-only"):
            await can_accept(replica)
