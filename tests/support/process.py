"""Children of the tests: `posthorn` in a process of its own, as an operator runs it.

    worker = posthorn("worker", "--channels", "email", env={"POSTHORN_DB__URL": dsn}, toml="…")
    await worker.ready("http://127.0.0.1:9001/readyz")   # fails at once, with its log, when it ends before
    worker.kill9()                                       # SIGKILL, and gone when it returns
    code = await worker.terminate()                      # SIGTERM; its exit code
    worker.start()                                       # again, with the same arguments, folder and log
    worker.log_text(), worker.log_lines()                # what it printed; JSON lines, parsed

`posthorn` is a fixture; what it started is killed after the test, with everything that works in its folder
(a PostgreSQL of embedded mode too).  A crashed test run leaves nothing either: see `tests.support.sandbox`.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.eventually import eventually
from tests.support.sandbox import kill_all_in, tail

READY_MAX = 30  # seconds
STOP_MAX = 40  # a little more than the product allows itself to drain


class Child:
    """One process whose working directory is `folder` and whose output goes to a log there."""

    def __init__(self, command: Sequence[str | Path], folder: Path, *, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.log = folder / "output.log"
        self._command = command
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again if need be."""
        if self.running:
            raise RuntimeError(f"already running: {self._command}")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the test run
            )

    @property
    def pid(self) -> int:
        return self._started.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; -9 after SIGKILL."""
        return self._started.poll()

    async def ready(self, url: str, *, timeout: float = READY_MAX) -> None:
        """Return when `url` answers 200.

        Raises:
            AssertionError: with its log, when it ended or took too long.
        """
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool:
                if not self.running:
                    raise ChildEnded(self)
                try:
                    async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                        return answer.status == 200
                except (aiohttp.ClientError, TimeoutError):
                    return False

            try:
                await eventually(answers, timeout=timeout)
            except AssertionError as error:
                raise AssertionError(
                    f"{url} did not answer 200 within {timeout} s\n{tail(self.log)}"
                ) from error

    async def wait(self, *, timeout: float = STOP_MAX) -> int:
        """Its exit code, when it has ended by itself."""
        return await asyncio.to_thread(self._started.wait, timeout)

    async def terminate(self, *, timeout: float = STOP_MAX) -> int:
        """SIGTERM; its exit code.

        Raises:
            subprocess.TimeoutExpired: it did not end in time.
        """
        self._started.send_signal(signal.SIGTERM)
        return await self.wait(timeout=timeout)

    def kill9(self) -> None:
        """SIGKILL to this process alone, as an out-of-memory killer does; gone when it returns."""
        self._started.kill()
        self._started.wait()

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP and SIGCONT make a process that is presumed dead, and comes back."""
        self._started.send_signal(number)

    def close(self) -> None:
        """Kill it and everything that works in its folder."""
        kill_all_in(self.folder)
        if self._process:
            self._process.wait()

    def log_text(self) -> str:
        """All that it printed, on both streams."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_lines(self) -> list[dict[str, Any]]:
        """The JSON objects among its lines."""
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"not started: {self._command}")
        return self._process


class ChildEnded(Exception):
    """It ended while somebody waited for it to become ready."""

    def __init__(self, child: Child) -> None:
        super().__init__(f"ended with exit code {child.exit_code}\n{tail(child.log)}")


def posthorn_child(
    folder: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    toml: str | None = None,
    module: str = "entrypoints.cli",
) -> Child:
    """Prepare `posthorn ARGUMENTS`; nothing of the caller's POSTHORN_* environment reaches it.

    Args:
        toml: a configuration file's content, named to the child by POSTHORN_CONFIG.
        module: a program of the tests' own that takes the same arguments.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POSTHORN_")}
    if toml is not None:
        (folder / "posthorn.toml").write_text(toml)
        inherited["POSTHORN_CONFIG"] = str(folder / "posthorn.toml")
    command = [sys.executable, "-m", module, *arguments]
    return Child(command, folder, env=inherited | {"PYTHONUNBUFFERED": "1"} | dict(env or {}))
