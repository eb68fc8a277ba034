"""`posthorn demo`: its numbers, its curl lines, its way out."""

import asyncio
import re
import shlex
import subprocess
from collections.abc import Callable

from config.catalog import load_catalog
from entrypoints.demo.channels import TRIGGERS
from entrypoints.demo.day import greet, plan
from entrypoints.demo.expect import Expected, expected
from tests.e2e.demo.conftest import Demo
from tests.support.eventually import eventually
from tests.support.process import Child
from tests.support.sandbox import Sandbox


async def test_one_day_comes_out_as_it_must_twice_on_the_same_data(
    posthorn: Callable[..., Child], sandbox: Sandbox
) -> None:
    triggers = (*load_catalog().triggers, *TRIGGERS)
    must = expected([*greet("x"), *plan("y")], triggers, set())
    assert must == Expected(published=65, accepted=59, sent=56, failed=3, deferred=1, absorbed=9)
    data = sandbox.folder("demo")
    for _ in range(2):
        child = posthorn("demo", "--once", "--data", str(data))
        assert await child.wait(timeout=90) == 0, child.log_text()
        shown = dict(re.findall(r"^  (\w+) +(\d+)$", child.log_text(), re.MULTILINE))
        assert shown == {name: str(getattr(must, name)) for name in Expected.__struct_fields__}


async def test_its_curl_lines_work_as_they_are_printed(shared_demo: Demo) -> None:
    lines = re.findall(r"^  (curl .*)$", shared_demo.child.log_text(), re.MULTILINE)
    assert len(lines) == 3
    first, guest, listing = (shlex.split(line) for line in lines)
    for line in (first, guest):
        assert '"status":"queued"' in _output(line)
    assert "idempotency-replayed: true" in _output([*first, "-i"]).lower()
    await eventually(lambda: shared_demo.child.log_text().count("POST /api/notifications") == 2)
    assert '"notificationType":"greeting"' in _output(listing)


async def test_sigterm_ends_it_even_while_somebody_watches(demo: Demo) -> None:
    watcher = await asyncio.create_subprocess_exec(
        *("curl", "-sN", f"{demo.url}/demo/feed"), stdout=asyncio.subprocess.PIPE
    )
    assert watcher.stdout is not None
    await watcher.stdout.readline()
    assert await demo.child.terminate(timeout=20) == 0
    await watcher.stdout.read()
    assert await watcher.wait() == 0  # the stream was ended, not cut


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
