"""A temporary folder and every process that works in it; both end with the test run, however it ends.

    with Sandbox() as sandbox:
        server = PostgresServer(sandbox.folder("postgres"))

Whoever starts a process here sets its working directory to a folder of the sandbox.  A watcher process holds
the other end of a pipe: when the test run ends, by SIGKILL too, it kills what still works in the sandbox and
removes the files.  POSTHORN_TEST_KEEP=1 keeps them.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

PROJECT = Path(__file__).parents[2]
CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
MEMORY = Path("/dev/shm")
MEMORY_MIN = 4 << 30  # bytes free, else the disk it is; a container's default is 64 MiB


class Sandbox:
    """One per test run or benchmark."""

    def __init__(self) -> None:
        self.root = self._memory = _root()
        if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_MIN:
            self._memory = _root(MEMORY)
        self._watcher = subprocess.Popen(
            [sys.executable, "-m", "tests.support.sandbox", self.root, self._memory],
            stdin=subprocess.PIPE,
            cwd=PROJECT,
            start_new_session=True,  # Ctrl-C is for the test run; the watcher ends after it
        )

    def folder(self, name: str, *, in_memory: bool = False) -> Path:
        """A new empty folder whose name starts with `name`; in memory where the machine has room for it."""
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._memory if in_memory else self.root))
        path.chmod(0o755)
        return path

    def close(self) -> None:
        """Kill what still works here and remove the files."""
        self._watcher.communicate(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def processes_in(folder: Path) -> Iterator[psutil.Process]:
    """Every process whose working directory lies in `folder`: children, orphans and daemons alike."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone meanwhile, or somebody else's
            if Path(process.cwd()).is_relative_to(folder):
                yield process


def kill_all_in(folder: Path) -> None:
    """Kill every process that works in `folder`, until none is left but the dead."""
    while found := list(processes_in(folder)):
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.01)


_SHARES = 8
_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens now.

    Below those that the system gives to clients, each given once, those of the processes of a parallel run
    apart: a server that has not started yet, or is down for a while, finds it free.
    """
    lowest = int(CLIENT_PORTS.read_text().split()[0]) if CLIENT_PORTS.exists() else 32768
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
    while True:
        port = secrets.choice(range(10_000 + share, max(lowest, 20_000), _SHARES))
        if port in _given:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port


def tail(log: Path, lines: int = 40) -> str:
    """The end of a log, for an error's text."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return f"--- {log}\n" + "\n".join(text.splitlines()[-lines:])


def _root(parent: Path | None = None) -> Path:
    path = Path(tempfile.mkdtemp(prefix="posthorn-", dir=parent))
    path.chmod(0o755)  # servers that refuse root run as somebody else
    return path


def _watch(roots: set[Path]) -> None:
    sys.stdin.buffer.read()  # ends when the test run does
    for root in roots:
        kill_all_in(root)
        if not os.environ.get("POSTHORN_TEST_KEEP"):
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    _watch(set(map(Path, sys.argv[1:])))
