"""Supervising: restarts, the order of stopping, and an end whatever the actors do."""

import asyncio

from application.kernel.supervision import Tasks
from entrypoints.engine.supervisor import Supervisor
from tests.support.eventually import eventually
from tests.support.telemetry import RecordedTelemetry


class Worker:
    """Runs until stopped; crashes `crashes` times before that."""

    def __init__(self, name: str, log: list[str], *, crashes: int = 0, stubborn: bool = False) -> None:
        self.name, self.log, self.crashes, self.stubborn = name, log, crashes, stubborn
        self.stopped = asyncio.Event()
        self.released = asyncio.Event()

    async def run(self) -> None:
        self.log.append(f"run {self.name}")
        if self.crashes:
            self.crashes -= 1
            raise RuntimeError("crash")
        await self.stopped.wait()
        while self.stubborn and not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                self.log.append(f"will not {self.name}")
        self.log.append(f"end {self.name}")

    def stop(self) -> None:
        self.log.append(f"stop {self.name}")
        self.stopped.set()


async def run(
    *groups: list[Worker], grace: float = 5.0
) -> tuple[Supervisor, "asyncio.Task[bool]", RecordedTelemetry]:
    telemetry = RecordedTelemetry()
    supervisor = Supervisor(
        groups=groups, telemetry=telemetry, tasks=Tasks(telemetry.task_ended), grace=grace
    )
    return supervisor, asyncio.create_task(supervisor.run()), telemetry


async def test_a_group_stops_when_the_one_before_it_has_ended():
    log: list[str] = []
    supervisor, task, _ = await run([Worker("lane", log)], [Worker("relay", log)])
    await eventually(lambda: len(log) == 2)
    supervisor.stop()
    assert await asyncio.wait_for(task, 2)
    assert log[2:] == ["stop lane", "end lane", "stop relay", "end relay"]


async def test_what_crashes_is_run_again_and_its_neighbours_are_not():
    log: list[str] = []
    supervisor, task, telemetry = await run([Worker("one", log, crashes=1), Worker("two", log)])
    await eventually(lambda: log.count("run one") == 2)
    supervisor.stop()
    assert await asyncio.wait_for(task, 2)
    assert log.count("run two") == 1
    assert [(task, end) for task, end, _ in telemetry.ends] == [
        ("one", "crashed"),
        ("one", "stopped"),
        ("two", "stopped"),
    ]


async def test_an_actor_that_does_not_even_let_itself_be_cancelled_holds_nobody_up():
    log: list[str] = []
    stubborn, relay = Worker("lane", log, stubborn=True), Worker("relay", log)
    supervisor, task, telemetry = await run([stubborn], [relay], grace=0.05)
    supervisor.cancel_max = 0.05
    await eventually(lambda: len(log) == 2)
    supervisor.stop()
    assert not await asyncio.wait_for(task, 2)
    assert "end relay" in log
    assert telemetry.troubled_by("actor.cancelled") == [{"actor": "lane"}]
    stubborn.released.set()
    await eventually(lambda: "end lane" in log)
