"""Servers of others, each in a process of its own for as long as a test needs it."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.sandbox import free_port

PEERS = Path(__file__).parents[2] / ".peers"


@asynccontextmanager
async def running(command: Sequence[str], log: Path, port: int) -> AsyncIterator[None]:
    """A server, from when it listens."""
    with log.open("wb") as written:
        child = await asyncio.create_subprocess_exec(
            *command, stdout=written, stderr=subprocess.STDOUT, cwd=log.parent
        )
    try:

        async def listens() -> bool:
            if child.returncode is not None:
                pytest.fail(f"{' '.join(command)} ended with {child.returncode}: see {log}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            return True

        await eventually(listens, timeout=60, interval=0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


@asynccontextmanager
async def moto(folder: Path) -> AsyncIterator[str]:
    """Amazon's APIs as `moto` has them (PyPI)."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    async with running(command, folder / "moto.log", port):
        yield f"http://127.0.0.1:{port}"


def smtp_sink(*options: str, port: int) -> list[str]:
    """The command of Postfix's own test server; skips the test where there is none."""
    unpacked = PEERS / "postfix" / "usr" / "sbin" / "smtp-sink"
    program = shutil.which("smtp-sink") or (str(unpacked) if unpacked.exists() else None)
    if program is None:
        pytest.skip("smtp-sink cannot run here: it is in Debian's package postfix")
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    libraries = f"LD_LIBRARY_PATH={PEERS / 'postfix' / 'usr' / 'lib' / 'postfix'}"
    return ["env", libraries, program, *user, *options, f"127.0.0.1:{port}", "100"]


def node(script: str) -> list[str]:
    """The command of a server from npm, by its path among the packages; skips the test where it is not."""
    path = PEERS / "node_modules" / script
    if shutil.which("node") is None or not path.exists():
        pytest.skip(f"{script} cannot run here: it needs npm when `make test-peers` sets itself up")
    return ["node", str(path)]
