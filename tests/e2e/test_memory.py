"""What others send does not fill a process's memory."""

import re
from pathlib import Path

import asyncpg

from tests.support.eventually import eventually
from tests.support.process import Child
from tests.support.shop import Shop

EVENTS = 120


async def test_events_as_large_as_may_be(stage: Shop) -> None:
    """Read at once, a hundred of them would take more than half a gigabyte: each holds 84,000 empty lists."""
    events = next(child for child in stage.children if _role(child) == "events")
    before = _peak(events.pid)
    earlier, said = _handled(events.log_lines()), len(events.log_text())
    data = {"userId": "memory", "note": [[]] * 84_000}
    connection = await asyncpg.connect(stage.dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE users")  # what was read stays in hand
            async with stage.events() as publish:
                for n in range(EVENTS):
                    await publish("user.updated", data, message_id=f"large-{n}")
            await eventually(lambda: "events.waiting" in events.log_text()[said:], timeout=20)
    finally:
        await connection.close()
    await eventually(lambda: _handled(events.log_lines()) >= earlier + EVENTS, timeout=60)
    assert _peak(events.pid) - before < 250, (before, _peak(events.pid))


def _role(child: Child) -> object:
    started = next((line for line in child.log_lines() if line.get("event") == "process.started"), {})
    return started.get("role")


def _handled(lines: list[dict[str, object]]) -> int:
    handled = (line for line in lines if line.get("event") == "events.handled")
    return sum(int(str(line["taken"])) for line in handled)


def _peak(pid: int) -> int:
    """MiB that it has had at most."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) // 1024
