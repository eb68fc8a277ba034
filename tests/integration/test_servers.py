"""The tests' own servers really start, stop, die, come back with what was committed, and leave nothing."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import aio_pika
import asyncpg
import pytest

from tests.support.broker import RabbitServer, VHost
from tests.support.eventually import eventually, steadily
from tests.support.postgres import PostgresServer
from tests.support.process import Child, ChildEnded
from tests.support.sandbox import Sandbox, free_port, processes_in

UNREACHABLE = (OSError, asyncpg.PostgresError)


@pytest.fixture
def own_postgres(sandbox: Sandbox) -> Iterator[PostgresServer]:
    """Not the session's: it is stopped in mid-test."""
    server = PostgresServer(sandbox.folder("postgres"))
    server.start()
    yield server
    server.kill()


async def test_postgresql_keeps_what_was_committed(own_postgres: PostgresServer) -> None:
    await own_postgres.execute("CREATE TABLE kept (x int)")
    for number, way in enumerate((PostgresServer.restart, _kill_and_start), start=1):
        await own_postgres.execute("INSERT INTO kept VALUES (1)")
        before = own_postgres.pid
        await asyncio.to_thread(way, own_postgres)
        assert own_postgres.pid != before
        assert await _fetch(own_postgres.dsn(), "SELECT count(*) FROM kept") == number


async def test_a_killed_postgresql_is_gone_at_once(own_postgres: PostgresServer) -> None:
    client = await asyncpg.connect(own_postgres.dsn())
    own_postgres.kill()
    assert own_postgres.pid is None
    with pytest.raises(UNREACHABLE):
        await asyncpg.connect(own_postgres.dsn(), timeout=5)
    await eventually(client.is_closed)


async def test_postgresql_listens_on_the_loopback_only(own_postgres: PostgresServer) -> None:
    assert await _fetch(own_postgres.dsn(), "SHOW listen_addresses") == "127.0.0.1"
    assert await _fetch(own_postgres.dsn(), "SHOW synchronous_commit") == "on"


async def test_a_durable_postgresql_syncs(sandbox: Sandbox) -> None:
    server = PostgresServer(sandbox.folder("postgres"), durable=True)
    server.start()
    try:
        assert await _fetch(server.dsn(), "SHOW fsync") == "on"
    finally:
        server.kill()


async def test_databases_are_copies_of_a_template_that_is_made_once(postgres_server: PostgresServer) -> None:
    prepared = []

    async def prepare(dsn: str) -> None:
        prepared.append(dsn)
        await _fetch(dsn, "CREATE TABLE shop (x int)")

    async with postgres_server.fresh_database(prepare) as one, postgres_server.fresh_database(prepare) as two:
        await _fetch(one, "INSERT INTO shop VALUES (1)")
        assert await _fetch(two, "SELECT count(*) FROM shop") == 0
    assert len(prepared) == 1
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(one)


async def test_vhosts_are_strangers_to_each_other(rabbitmq_server: RabbitServer) -> None:
    with rabbitmq_server.fresh_vhost() as one, rabbitmq_server.fresh_vhost() as two:
        await _publish(one)
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await _holds(two, 0)


async def test_rabbitmq_can_move_messages(rabbitmq_server: RabbitServer, vhost: VHost) -> None:
    assert rabbitmq_server.api("GET", f"/shovels/{vhost.name}") == []


async def test_a_child_that_ends_early_shows_its_log(posthorn: Callable[..., Child]) -> None:
    child = posthorn("no-such-command")
    with pytest.raises(ChildEnded, match=r"exit code [12]"):
        await child.ready(f"http://127.0.0.1:{free_port()}/readyz")


async def test_a_child_is_killed_terminated_and_started_again(sandbox: Sandbox) -> None:
    port = free_port()
    folder = sandbox.folder("child")
    child = Child([sys.executable, "-m", "http.server", "-b", "127.0.0.1", str(port)], folder, env=os.environ)
    try:
        child.start()
        await child.ready(f"http://127.0.0.1:{port}/")
        first = child.pid
        child.kill9()
        assert (child.running, child.exit_code) == (False, -signal.SIGKILL)
        child.start()
        await child.ready(f"http://127.0.0.1:{port}/")
        assert child.pid != first
        assert await child.terminate() == -signal.SIGTERM
        assert child.log_text().count("GET / ") >= 2
    finally:
        child.close()


async def test_nothing_outlives_a_killed_test_run(sandbox: Sandbox) -> None:
    program = """
import subprocess, sys, time
from tests.support.sandbox import Sandbox
sandbox = Sandbox()
folders = sandbox.folder("orphan"), sandbox.folder("orphan", in_memory=True)
for command, folder in zip((["sleep", "600"], ["setsid", "sleep", "600"]), folders):
    subprocess.Popen(command, cwd=folder)
print(*folders, flush=True)
time.sleep(600)
"""
    run = Child([sys.executable, "-c", program], sandbox.folder("run"), env=os.environ)
    run.start()
    folders = [Path(line) for line in (await eventually(run.log_text)).split()]
    await eventually(lambda: all(list(processes_in(folder)) for folder in folders))
    run.kill9()
    await eventually(lambda: not any(folder.parent.exists() for folder in folders))
    assert not [process for folder in folders for process in processes_in(folder)]


async def test_eventually_waits_and_says_what_failed() -> None:
    answers = iter([0, "", 3])
    assert await eventually(lambda: next(answers), interval=0) == 3

    def never() -> None:
        assert len("abc") == 4, "not four"

    with pytest.raises(AssertionError, match="not four"):
        await eventually(never, timeout=0.05, interval=0.01)
    with pytest.raises(AssertionError, match="still False"):
        await eventually(lambda: False, timeout=0.05, interval=0.01)
    with pytest.raises(AssertionError, match="became 0"):
        await steadily(iter([1, 1, 0]).__next__, seconds=5, interval=0)


def _kill_and_start(server: PostgresServer) -> None:
    server.kill()
    server.start()


async def _fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def _publish(vhost: VHost) -> None:
    async with await aio_pika.connect(vhost.amqp_url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(b"1", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "kept")


async def _holds(vhost: VHost, messages: int) -> bool:
    async with await aio_pika.connect(vhost.amqp_url) as connection:
        queue = await (await connection.channel()).declare_queue("kept", passive=True)
        return queue.declaration_result.message_count == messages
