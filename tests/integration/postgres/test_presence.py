"""Who lives and who is dead, told by session advisory locks on a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from adapters.postgres.core.database import Database
from adapters.postgres.core.processes import Presence
from adapters.postgres.outbox.rows import PostgresOutbox
from adapters.system import SystemClock
from tests.contract.engine import PostgresEngine
from tests.support.accepting import notification, pack, user
from tests.support.eventually import eventually, steadily
from tests.support.postgres import PostgresServer

SOON = timedelta(milliseconds=50)
NEVER = timedelta(minutes=10)
KILL = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l JOIN processes AS p ON p.lock = l.objid
WHERE l.locktype = 'advisory' AND p.id = $1 AND l.granted
"""


@asynccontextmanager
async def alive(
    store: Database, process: UUID, heartbeat: timedelta = SOON, **more: Any
) -> AsyncIterator[Presence]:
    who = Presence(store, process, role="worker", host="here", pid=1, heartbeat=heartbeat, **more)
    async with who:
        yield who


async def lock_of(store: Database, process: UUID) -> int | None:
    rows = await store.fetch("SELECT lock FROM processes WHERE id = $1", process)
    return rows[0]["lock"] if rows else None


async def leave_a_message(store: Database, process: UUID) -> None:
    engine, ada = PostgresEngine(store), user()
    engine.me = process
    await engine.acceptance().accept([notification(ada)], [ada], pack)


async def test_a_dead_connection_is_a_dead_process(store: Database) -> None:
    """Control: the same rows are left alone as long as the connection lives."""
    process, heir = uuid4(), PostgresOutbox(database=store, process=uuid4())
    await leave_a_message(store, process)
    async with alive(store, process, heartbeat=NEVER) as presence:
        assert presence.held
        assert await heir.adopt(10) == 0

        assert await store.fetch(KILL, process)

        await eventually(lambda: not presence.held)
        assert await heir.adopt(10) == 1


async def test_without_heartbeats_an_open_connection_is_a_dead_process(store: Database) -> None:
    """As of a process that is stopped, frozen or wedged.  Control: as long as the heart beats it is alive."""
    frozen, beating, heir = uuid4(), uuid4(), PostgresOutbox(database=store, process=uuid4())
    silence = timedelta(milliseconds=400)
    for process in (frozen, beating):
        await leave_a_message(store, process)
    async with alive(store, beating, silence_max=silence), alive(store, frozen, NEVER, silence_max=silence):
        await eventually(lambda: heir.adopt(10))
        assert {row["owner"] for row in await store.fetch("SELECT owner FROM outbox")} == {
            heir.process,
            beating,
        }
        await steadily(lambda: _none(heir), seconds=0.8)


async def _none(heir: PostgresOutbox) -> bool:
    return await heir.adopt(10) == 0


async def test_who_gets_nothing_published_gives_its_rows_up(store: Database) -> None:
    process, heir = uuid4(), PostgresOutbox(database=store, process=uuid4())
    able = True
    async with alive(store, process) as presence:
        presence.depends_on(lambda: able)
        lock = await lock_of(store, process)
        await leave_a_message(store, process)
        assert await heir.adopt(10) == 0

        able = False
        await eventually(lambda: presence.stands_down)
        assert presence.held, "it lives"
        assert await heir.adopt(10) == 1
        await leave_a_message(store, process)
        assert await heir.adopt(10) == 1
        async with alive(store, uuid4()) as witness:
            assert await witness.forget_dead() == 1

        able = True
        await eventually(lambda: not presence.stands_down)
        await leave_a_message(store, process)
        assert await heir.adopt(10) == 0
        assert await lock_of(store, process) == lock


async def test_a_process_hears_the_databases_clock_from_the_start_and_with_every_heartbeat(
    store: Database,
) -> None:
    heard: list[datetime] = []

    class Ear(SystemClock):
        def heard(self, at: datetime, asked: float) -> None:
            assert self.monotonic() - asked < 5
            heard.append(at)

    who = Presence(store, uuid4(), role="worker", host="here", pid=1, heartbeat=SOON, clock=Ear())
    async with who:
        assert len(heard) == 1
        await eventually(lambda: len(heard) > 3)
    assert heard == sorted(heard)
    assert abs(heard[0] - (await store.fetch("SELECT now()"))[0][0]) < timedelta(minutes=1)


async def test_a_process_takes_its_lock_again(store: Database) -> None:
    process, heir = uuid4(), PostgresOutbox(database=store, process=uuid4())
    await leave_a_message(store, process)
    async with alive(store, process) as presence:
        lock = await lock_of(store, process)
        await store.fetch(KILL, process)
        await eventually(lambda: not presence.held, interval=0.001)
        await eventually(lambda: presence.held)

        assert await lock_of(store, process) == lock
        assert await heir.adopt(10) == 0


async def test_a_process_forgotten_while_cut_off_comes_back(store: Database) -> None:
    process, other = uuid4(), uuid4()
    async with alive(store, other) as witness, alive(store, process, timedelta(seconds=1)) as presence:
        lock = await lock_of(store, process)
        await store.fetch(KILL, process)
        await eventually(lambda: not presence.held)
        assert await witness.forget_dead() == 1
        assert await lock_of(store, process) is None

        await eventually(lambda: presence.held)
        assert await lock_of(store, process) == lock
        assert await witness.forget_dead() == 0


async def test_the_dead_are_forgotten_once_they_own_nothing(store: Database) -> None:
    poor, rich, living = uuid4(), uuid4(), uuid4()
    for process in (poor, rich):
        async with alive(store, process):
            pass
    await leave_a_message(store, rich)
    async with alive(store, living) as presence:
        assert await eventually(presence.forget_dead) == 1  # the server may need a moment to notice the end
        assert await lock_of(store, poor) is None
        assert await lock_of(store, rich) is not None

        await PostgresOutbox(database=store, process=living).adopt(10)
        assert await presence.forget_dead() == 1
        assert await lock_of(store, living) is not None


async def test_a_process_starts_while_the_database_is_away(
    postgres_server: PostgresServer, database: str
) -> None:
    process = uuid4()
    await asyncio.to_thread(postgres_server.stop)
    async with Database(database) as store, alive(store, process) as presence:
        await steadily(lambda: not presence.held, seconds=0.2)
        await asyncio.to_thread(postgres_server.start)
        await eventually(lambda: presence.held)
        assert await lock_of(store, process) is not None
