"""A pool to PostgreSQL through a failing network: whatever ends a connection is told, and another opened."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.core.processes import Presence
from application.kernel.supervision import Tasks
from domain.kernel.errors import Misconfigured, StoreUnavailable
from tests.support.eventually import eventually
from tests.support.fault_proxy import Fault, FaultProxy
from tests.support.postgres import PostgresServer
from tests.support.telemetry import RecordedTelemetry

GARBAGE = {
    "of another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nothing but zeros": bytes(64),
    "lengths below zero": b"D\xff\xff\xff\xff" * 8,
    "noise": bytes(range(255, -1, -1)),
    "a row cut short": b"D\x00\x00\x00\x06\x00\x01",
    "a description cut short": b"T\x00\x00\x00\x06\x00\x05",
    "a parameter cut short": b"S\x00\x00\x00\x06ab",
    "ready, but for nothing": b"Z\x00\x00\x00\x04",
    "done, with what is no text": b"C\x00\x00\x00\x08\xff\xff\xff\xff",
    "a login that there is not": b"R\x00\x00\x00\x08\x00\x00\x00\x63",
}
WAITED_FOR = {"a parameter cut short"}
Work = Callable[[Database, Callable[[], None]], Awaitable[object]]


async def idle(database: Database, strike: Callable[[], None]) -> object:
    strike()
    return await database.fetch("SELECT 1")


async def busy(database: Database, strike: Callable[[], None]) -> object:
    asking = asyncio.ensure_future(database.fetch("SELECT pg_sleep(0.3)"))
    await asyncio.wait({asking}, timeout=0.1)
    strike()
    return await asking


async def transacting(database: Database, strike: Callable[[], None]) -> object:
    async def work(connection: Any) -> object:
        await connection.fetch("SELECT 1")
        strike()
        return await connection.fetch("SELECT 1")

    return await database.run(work)


async def listing(database: Database, strike: Callable[[], None]) -> object:
    await database.fetch_list("SELECT 1")
    strike()
    return await database.fetch_list("SELECT 1")


@pytest.fixture
def dsn(postgres_server: PostgresServer) -> str:
    return postgres_server.dsn()


@pytest.mark.parametrize("after", [0, 1, 20])
@pytest.mark.parametrize("fault", Fault)
async def test_at_connect(dsn: str, fault: Fault, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the answer to the first question, after it, within the greeting."""
    monkeypatch.setattr("adapters.postgres.core.database.CONNECT_MAX", 0.5)
    async with FaultProxy(dsn) as proxy, Database(proxy.url) as database:
        proxy.greet(fault, after=after)
        if fault is not Fault.SLOW:
            with pytest.raises(StoreUnavailable):
                await database.fetch("SELECT 1")
        proxy.heal()
        assert await database.fetch("SELECT 1")


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_at_connect(dsn: str, garbage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever answers there: our DSN can be read."""
    monkeypatch.setattr("adapters.postgres.core.database.CONNECT_MAX", 0.5)
    async with FaultProxy(dsn, garbage=GARBAGE[garbage]) as proxy:
        for after in (0, 1, 60):
            async with Database(proxy.url) as database:
                proxy.greet(Fault.GARBAGE, after=after)
                await answered_or_away(database.fetch("SELECT 1"))
                proxy.heal()
                assert await database.fetch("SELECT 1")


@pytest.mark.parametrize("work", [idle, busy, transacting, listing])
@pytest.mark.parametrize("fault", [Fault.HANG_UP, Fault.RESET])
async def test_in_mid_stream(dsn: str, work: Work, fault: Fault) -> None:
    async with FaultProxy(dsn) as proxy, Database(proxy.url) as database:
        await database.fetch("SELECT 1")
        await answered_or_away(work(database, lambda: proxy.strike(fault)))
        await answered_or_away(database.fetch("SELECT 1"))
        assert await database.fetch("SELECT 1")


@pytest.mark.parametrize("work", [idle, busy, transacting, listing])
@pytest.mark.parametrize("garbage", sorted(GARBAGE.keys() - WAITED_FOR))
async def test_garbage_in_mid_stream(dsn: str, work: Work, garbage: str) -> None:
    """It costs a connection at most: it does not stop the process, nor stay with whoever comes next."""
    async with FaultProxy(dsn, garbage=GARBAGE[garbage]) as proxy, Database(proxy.url) as database:
        await database.fetch("SELECT 1")
        await answered_or_away(work(database, lambda: proxy.strike(Fault.GARBAGE)))
        await answered_or_away(database.fetch("SELECT 1"))  # it may have come after the answer
        assert await database.fetch("SELECT 1")


async def test_garbage_that_takes_the_place_of_an_answer_is_not_waited_for_longer_than_that(dsn: str) -> None:
    (garbage,) = WAITED_FOR
    async with (
        FaultProxy(dsn, garbage=GARBAGE[garbage]) as proxy,
        Database(proxy.url, statement_max=timedelta(seconds=0.1)) as database,
    ):
        await database.fetch("SELECT 1")
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(idle(database, lambda: proxy.strike(Fault.GARBAGE)), 7)
        assert await database.fetch("SELECT 1")


async def answered_or_away(asked: Awaitable[object]) -> None:
    """It comes about, or says that the database is away."""
    with suppress(StoreUnavailable):
        await asked


async def test_slow_bytes_are_an_answer(dsn: str) -> None:
    async with FaultProxy(dsn) as proxy, Database(proxy.url) as database:
        await database.fetch("SELECT 1")
        proxy.strike(Fault.SLOW)
        assert await database.fetch("SELECT 1")
        assert proxy.taken == 1


async def test_large_rows_in_small_pieces_are_no_garbage(dsn: str) -> None:
    """Heads of messages are found wherever a piece ends."""
    async with FaultProxy(dsn) as proxy, Database(proxy.url) as database:
        for size in (0, 1, 5, 100, 65_531, 65_536, 3_000_000):
            rows = await database.fetch("SELECT repeat('x', $1::int) FROM generate_series(1, 3)", size)
            assert [len(row[0]) for row in rows] == [size] * 3
        assert proxy.taken == 1


async def test_a_bug_of_ours_is_not_taken_for_the_network(dsn: str) -> None:
    async def work(connection: Any) -> None:
        await connection.fetch("SELECT 1")
        raise KeyError("ours")

    async with Database(dsn) as database:
        with pytest.raises(KeyError):
            await database.run(work)
        with pytest.raises(asyncpg.UndefinedFunctionError):
            await database.fetch("SELECT no_such_function()")
    for bad in ("postgresql://127.0.0.1:port/x", "postgresql://[/x"):
        async with Database(bad) as database:
            with pytest.raises(Misconfigured):
                await database.fetch("SELECT 1")


async def test_a_process_is_present_again_whatever_ended_its_connection(database: str) -> None:
    telemetry = RecordedTelemetry()
    async with FaultProxy(database) as proxy, Database(proxy.url) as store:
        presence = Presence(
            store,
            uuid4(),
            role="api",
            host="here",
            pid=1,
            heartbeat=timedelta(seconds=0.2),
            tasks=Tasks(telemetry.task_ended),
        )
        async with presence:
            for fault in (Fault.HANG_UP, Fault.RESET, Fault.GARBAGE):
                taken = proxy.taken
                proxy.strike(fault)
                await eventually(lambda taken=taken: proxy.taken > taken and presence.held)
    ends = [end for _, end, _ in telemetry.ends]
    assert ends.count("lost") >= 2
    assert set(ends) == {"lost", "cancelled"}
