"""Embedded PostgreSQL: started on a folder, ended with us, also when we are killed.

    postgres = EmbeddedPostgres(folder)
    dsn = await postgres.start()
    …
    await postgres.stop()

A shell stands between us and the server and reads from a pipe that we hold: when we end, by SIGKILL too, the
pipe closes and the shell stops the server.  The folder belongs to one process at a time (a lock tells).  What
a killed shell left behind is stopped before the next start.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types

from adapters.embedded import folders
from domain.kernel.errors import Misconfigured

START_MAX = 30.0
STOP_MAX = 30.0
_TICK = 0.01
_TAIL = 2000

# SIGINT is PostgreSQL's fast shutdown: sessions end, transactions roll back, a checkpoint is written.
_KEEPER = """
exec 3<&0
"$@" 3<&- & server=$!
{ read -r _ <&3; kill -INT $server; } & reader=$!
wait $server
kill $reader
"""

_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is small in containers
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """One server on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self._data = self.folder / "data"
        self._log = self.folder / "postgres.log"
        self._account = folders.account()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._socket: Path | None = None
        self.dsn: str | None = None
        """Where the server listens, once `start` or `running` has found out."""

    async def start(self) -> str:
        """Start the server, the first time make its data, and return its DSN.

        Raises:
            Misconfigured: the folder cannot be used, or another process uses it.
        """
        self.dsn = await asyncio.to_thread(self._start)
        return self.dsn

    def running(self) -> str | None:
        """The DSN of a server that another process has running on this folder."""
        lines = self._pid_file()
        if not self._is_ready() or not _is_locked(self.folder / "lock"):
            return None
        self.dsn = _dsn(lines[4].strip())
        return self.dsn

    async def stop(self) -> None:
        """Stop the server; the data stays."""
        await asyncio.to_thread(self._stop)

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return self._postmaster()

    def _start(self) -> str:
        folders.prepare(self.folder, self._account)
        self._lock = _locked(self.folder / "lock")
        try:
            self._end_leftover()
            programs = folders.binaries(self.folder, self._account)
            if not (self._data / "PG_VERSION").exists():
                self._make_data(programs)
            self._socket = folders.socket_folder(self._data, self._account)
            self._spawn(programs)
        except BaseException:
            self._stop()
            raise
        return _dsn(str(self._socket))

    def _stop(self) -> None:
        if self._keeper is not None:
            if self._keeper.stdin:
                self._keeper.stdin.close()
            try:
                self._keeper.wait(STOP_MAX)
            except subprocess.TimeoutExpired:
                self._kill()
            self._keeper = None
        if self._socket is not None and self._socket != self._data:
            with contextlib.suppress(OSError):
                self._socket.rmdir()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _kill(self) -> None:
        if (pid := self._postmaster()) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        if self._keeper:
            self._keeper.wait()

    def _make_data(self, programs: Path) -> None:
        for left in self._data.iterdir():  # of an initdb that was killed
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        made = subprocess.run(
            [
                programs / "initdb",
                *("--pgdata", self._data, "--username=postgres", "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            ],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            **folders.as_account(self._account),
        )
        if made.returncode:
            raise Misconfigured(
                f"initdb failed on {self._data}: {made.stderr.decode(errors='replace')[-_TAIL:]}"
            )

    def _spawn(self, programs: Path) -> None:
        options = [f"--{name}={value}" for name, value in _OPTIONS.items()]
        with self._log.open("ab") as log:
            self._keeper = subprocess.Popen(
                [
                    *("/bin/sh", "-c", _KEEPER, "posthorn-postgres"),
                    str(programs / "postgres"),
                    *("-D", str(self._data), "-k", str(self._socket or self._data)),
                    *options,
                ],
                cwd=self._data,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us
                **folders.as_account(self._account),
            )
        self._await_ready()

    def _await_ready(self) -> None:
        """The server writes its pid file first, "ready" into its last line at the end."""
        deadline = time.monotonic() + START_MAX
        while not self._is_ready():
            if (self._keeper and self._keeper.poll() is not None) or time.monotonic() > deadline:
                end = self._log.read_text(errors="replace")[-_TAIL:]
                raise Misconfigured(f"embedded PostgreSQL did not start; the end of {self._log}:\n{end}")
            time.sleep(_TICK)

    def _is_ready(self) -> bool:
        lines = self._pid_file()
        return len(lines) >= 8 and lines[7].strip() == "ready" and self._postmaster() is not None

    def _pid_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _postmaster(self) -> int | None:
        """The server of this folder, ours or left behind; a pid that went to somebody else does not count."""
        lines = self._pid_file()
        if not lines or not lines[0].isdigit():
            return None
        try:
            command = psutil.Process(int(lines[0])).cmdline()
        except psutil.Error:
            return None
        return int(lines[0]) if str(self._data) in command else None

    def _end_leftover(self) -> None:
        deadline = time.monotonic() + STOP_MAX
        while (pid := self._postmaster()) is not None:
            late = time.monotonic() > deadline
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT if late else signal.SIGINT)
            time.sleep(_TICK * 5)
        (self._data / "postmaster.pid").unlink(missing_ok=True)


def _dsn(socket: str) -> str:
    return f"postgresql://postgres@/postgres?host={socket}"


def _is_locked(path: Path) -> bool:
    try:
        os.close(_locked(path))
    except Misconfigured:
        return True
    return False


def _locked(path: Path) -> int:
    """Hold the folder's lock until the descriptor is closed, by our death at the latest."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode(errors="replace")
        os.close(lock)
        raise Misconfigured(
            f"{path.parent} is in use by process {holder or '?'}: end it, or name another folder with --data"
        ) from None
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock
