"""The way to the database: whatever goes wrong has one name, and no connection is ever spoilt."""

import asyncio
import json
import ssl
import traceback
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from itertools import count

import asyncpg
import pytest

from adapters.postgres.core.database import LISTS, Database
from adapters.postgres.core.readiness import can_accept
from adapters.postgres.core.sessions import Connection
from domain.kernel.errors import Invalid, Misconfigured, Overloaded, StoreUnavailable
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer

TICK = timedelta(milliseconds=200)


@pytest.fixture
async def single(database: str) -> AsyncIterator[Database]:
    """One connection each way, and a table."""
    async with Database(database, pool_size=1) as single:
        await single.fetch("CREATE TABLE pots (id int PRIMARY KEY, n int NOT NULL, note text)")
        await single.fetch("INSERT INTO pots VALUES (1, 0), (2, 0)")
        yield single


@pytest.fixture
async def quick(database: str, single: Database) -> AsyncIterator[Database]:
    """The same with little patience."""
    async with Database(database, pool_size=1, statement_max=2 * TICK, lock_max=TICK, idle_max=TICK) as quick:
        yield quick


async def fetch_list(database: Database, statement: str, *values: object) -> None:
    await database.fetch_list(statement, *values)


@pytest.mark.parametrize("bad", ["a\0b", "lone \ud800 surrogate"])
async def test_a_text_that_cannot_be_stored_is_invalid(single: Database, bad: str) -> None:
    with pytest.raises(Invalid):
        await single.fetch("UPDATE pots SET note = $1", bad)
    with pytest.raises(Invalid):
        await fetch_list(single, "UPDATE pots SET note = $1", bad)


@pytest.mark.parametrize("bad", ['{"secret": "\\u0000"}', '{"secret": "\\ud800"}', '{"secret": 1e999999}'])
async def test_json_that_cannot_be_stored_is_invalid(single: Database, bad: str) -> None:
    json.loads(bad)  # it is JSON; only jsonb has no room for it
    with pytest.raises(Invalid) as refused:
        await single.fetch("SELECT $1::jsonb", bad)
    assert "secret" not in "".join(traceback.format_exception(refused.value))


async def test_a_number_that_does_not_fit_is_invalid_and_not_quoted(single: Database) -> None:
    for statement, value in (("UPDATE pots SET n = $1", 2**31), ("UPDATE pots SET n = $1::bigint", 2**31)):
        with pytest.raises(Invalid) as refused:
            await single.fetch(statement, value)
        assert str(2**31) not in "".join(traceback.format_exception(refused.value))
    with pytest.raises(Invalid):
        await fetch_list(single, "UPDATE pots SET n = $1::bigint", 2**31)


async def test_a_mistake_of_ours_stays_what_it_is(single: Database) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await single.fetch("SELEKT 1")
    with pytest.raises(asyncpg.UniqueViolationError):
        await single.fetch("INSERT INTO pots VALUES (1, 0)")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await fetch_list(single, "SELEKT 1")


async def test_a_missing_schema_says_what_to_do(single: Database) -> None:
    with pytest.raises(Misconfigured, match="posthorn migrate"):
        await single.fetch("SELECT FROM nowhere")
    with pytest.raises(Misconfigured, match="posthorn migrate"):
        await fetch_list(single, "SELECT FROM nowhere")


async def test_what_takes_too_long_is_ended(quick: Database) -> None:
    with pytest.raises(StoreUnavailable):
        await quick.fetch("SELECT pg_sleep(5)")
    with pytest.raises(Overloaded):
        await fetch_list(quick, "SELECT pg_sleep(5)")
    assert await quick.fetch("SELECT 1")


async def test_a_lock_that_is_not_free_is_waited_for_as_long_as_the_caller_says(
    single: Database, store: Database
) -> None:
    async def lock(connection: Connection) -> None:
        await connection.execute("SELECT FROM pots WHERE id = 1 FOR UPDATE")

    async with store.transaction() as holder:
        await lock(holder)
        async with asyncio.timeout(3):  # the session's own patience is five seconds
            with pytest.raises(StoreUnavailable, match="lock"):
                await single.run(lock, lock_max=TICK)
    await single.run(lock)
    ((usual,),) = await single.fetch("SELECT current_setting('lock_timeout')")
    assert usual == "5s", "for that transaction alone"


async def test_an_idle_transaction_is_ended(quick: Database, store: Database) -> None:
    async def work(connection: Connection) -> None:
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        still = "SELECT FROM pg_stat_activity WHERE pid = $1"

        async def hung_up() -> bool:
            return not await store.fetch(still, pid)

        await eventually(hung_up)
        await connection.execute("SELECT 1")

    with pytest.raises(StoreUnavailable):
        await quick.run(work)
    assert await quick.fetch("SELECT 1")


async def test_who_waits_too_long_for_a_connection_is_told(
    single: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres.core.database.WAIT_MAX", 0.05)
    async with single.transaction():
        with pytest.raises(StoreUnavailable):
            await single.fetch("SELECT 1")


async def test_lists_take_nothing_from_accepting(database: str) -> None:
    """More of them than there are connections, each endless: who comes too much is told so, and soon."""

    async def slow(store: Database) -> None:
        await store.fetch_list("SELECT pg_sleep(60)")

    async with Database(database, pool_size=1) as store:
        lists = [asyncio.create_task(slow(store)) for _ in range(2 * LISTS + 1)]
        await eventually(lambda: store.lists_under_way == LISTS)
        async with asyncio.timeout(0.8):
            await can_accept(store)
        refusals = await asyncio.gather(*lists, return_exceptions=True)
        assert {type(each) for each in refusals} == {Overloaded}
        assert {str(each).partition(":")[0] for each in refusals} == {
            "the list takes too long",
            "too many lists are being read",
        }


async def test_deadlocked_work_is_done_again(store: Database) -> None:
    await store.fetch("CREATE TABLE pots AS SELECT id, 0 AS n FROM generate_series(1, 2) AS id")
    both_hold_one = asyncio.Barrier(2)
    tries = count()

    async def work(*pots: int) -> None:
        meet = True

        async def move(connection: Connection) -> None:
            nonlocal meet
            next(tries)
            for pot in pots:
                await connection.execute("UPDATE pots SET n = n + 1 WHERE id = $1", pot)
                if meet:
                    meet = False
                    await both_hold_one.wait()

        await store.run(move)

    await asyncio.gather(work(1, 2), work(2, 1))

    assert [row["n"] for row in await store.fetch("SELECT n FROM pots")] == [2, 2]
    assert next(tries) == 3


async def test_work_that_never_gets_through_gives_up(store: Database) -> None:
    tries = count(1)

    async def work(connection: Connection) -> None:
        next(tries)
        await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    with pytest.raises(StoreUnavailable):
        await store.run(work)
    assert next(tries) == 5


async def test_an_error_rolls_back(single: Database) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute("UPDATE pots SET n = 1")
        raise LookupError

    with pytest.raises(LookupError):
        await single.run(work)
    assert await single.fetch("SELECT FROM pots WHERE n = 1") == []


async def test_work_cancelled_anywhere_is_whole_or_nothing(single: Database) -> None:
    """One connection serves all rounds: left in mid-transaction once, it would spoil the rest."""

    async def work(connection: Connection) -> None:
        for pot in (1, 2):
            await connection.execute("UPDATE pots SET n = n + 1 WHERE id = $1", pot)

    for round_ in range(120):
        task = asyncio.create_task(single.run(work))
        for _ in range(round_ // 4):
            await asyncio.sleep(0)
        task.cancel()
        if round_ % 2:
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait([task])
        one, two = await single.fetch("SELECT n FROM pots ORDER BY id")
        assert one == two


async def test_a_commit_under_way_ends_before_its_task_does(single: Database) -> None:
    """The trigger makes the commit itself wait, long enough to be cancelled in it."""
    await single.fetch(
        "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$"
    )
    await single.fetch(
        "CREATE CONSTRAINT TRIGGER nap AFTER UPDATE ON pots DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION nap()"
    )
    committing = asyncio.Event()

    async def work(connection: Connection) -> None:
        await connection.execute("UPDATE pots SET n = 7 WHERE id = 1")
        committing.set()

    task = asyncio.create_task(single.run(work))
    await committing.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await single.fetch("SELECT FROM pots WHERE n = 7")


async def test_sessions_are_set_up_alike_on_both_ways(database: str) -> None:
    async with Database(database, application_name="posthorn test") as store:
        query = """
            SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN (
                'application_name', 'jit', 'TimeZone', 'statement_timeout', 'lock_timeout',
                'idle_in_transaction_session_timeout'
            )
        """
        expected = (
            "TimeZone=UTC application_name=posthorn test idle_in_transaction_session_timeout=10000 "
            "jit=off lock_timeout=5000 statement_timeout=30000"
        )
        ((hot,),) = await store.fetch(query)
        transacted = await store.run(lambda connection: connection.fetchval(query))
        own = await store.connect()
        assert (await own.fetchval(query), hot, transacted) == (expected, expected, expected)
        await own.close()


async def test_a_restart_of_the_server_is_survived(store: Database, postgres_server: PostgresServer) -> None:
    await store.fetch("SELECT 1")
    await fetch_list(store, "SELECT 1")
    await asyncio.to_thread(postgres_server.stop)
    with pytest.raises(StoreUnavailable):
        await store.fetch("SELECT 1")
    with pytest.raises(StoreUnavailable):
        await fetch_list(store, "SELECT 1")
    with pytest.raises(StoreUnavailable):
        await store.connect()

    await asyncio.to_thread(postgres_server.start)
    assert await store.fetch("SELECT 1")
    await fetch_list(store, "SELECT 1")


async def test_a_connection_that_the_server_ends_in_mid_work(single: Database, store: Database) -> None:
    async def work(connection: Connection) -> None:
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        await store.fetch("SELECT pg_terminate_backend($1)", pid)
        await connection.execute("SELECT 1")

    with pytest.raises(StoreUnavailable):
        await single.run(work)
    assert await single.fetch("SELECT 1")


async def test_a_server_that_is_full_is_away(database: str, store: Database) -> None:
    await store.fetch("CREATE ROLE guest LOGIN CONNECTION LIMIT 0")
    async with Database(database.replace("postgres@", "guest@")) as full:
        with pytest.raises(StoreUnavailable, match="53300"):
            await full.fetch("SELECT 1")
        with pytest.raises(StoreUnavailable, match="53300"):
            await fetch_list(full, "SELECT 1")
    await store.fetch("DROP ROLE guest")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://posthorn:pssst@127.0.0.1:1/shop",
        "postgresql://posthorn:pssst@nowhere.invalid/shop",
        "postgresql://posthorn:pssst@/shop?host=/nowhere",
        "postgresql://posthorn:pssst@127.0.0.1:pssst/shop",
        "mysql://posthorn:pssst@127.0.0.1/shop",
        "pssst",
    ],
)
async def test_no_error_tells_the_password(dsn: str) -> None:
    async with Database(dsn) as database:
        hot, cold = partial(database.fetch, "SELECT 1"), partial(fetch_list, database, "SELECT 1")
        for attempt in (hot, cold, database.connect):
            with pytest.raises((StoreUnavailable, Misconfigured)) as failure:
                await attempt()
            assert "pssst" not in "".join(traceback.format_exception(failure.value))
        assert "pssst" not in repr(database)


async def test_a_missing_database_or_role_is_a_misconfiguration(postgres_server: PostgresServer) -> None:
    for dsn in (postgres_server.dsn("nowhere"), postgres_server.dsn().replace("postgres@", "nobody@")):
        async with Database(dsn) as database:
            with pytest.raises(Misconfigured):
                await database.fetch("SELECT 1")


async def test_nothing_is_sent_in_the_clear_when_tls_is_asked_for(database: str) -> None:
    """This server speaks no TLS."""
    async with Database(database, ssl=ssl.create_default_context()) as store:
        with pytest.raises(StoreUnavailable):
            await store.fetch("SELECT 1")
        with pytest.raises(StoreUnavailable):
            await fetch_list(store, "SELECT 1")
