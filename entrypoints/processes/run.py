"""One process, from its start to the last ack: open the parts, run the actors, drain on a signal."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from application.kernel.supervision import End
from config.container import Container
from config.lifecycle import built, install_catalog, opened, start_logging
from config.settings import Settings
from entrypoints.engine.supervisor import Supervisor
from entrypoints.engine.telemetry import Telemetry
from entrypoints.processes.roles import ROLES, Assembly

GRACE = 25.0
"""Seconds for draining; closing the connections takes up to five more."""
GC_OBJECTS, GC_GENERATIONS = 20_000, 20


class TaskTelemetry(Telemetry, Protocol):
    """Where ends of tasks are told, beside the common figures."""

    def task_ended(self, task: str, end: End, error: Exception | None) -> None:
        """One ended; see `application.kernel.supervision`."""
        ...


async def run_role(name: str, settings: Settings, folder: Path | None = None) -> bool:
    """Run a role until SIGTERM or Ctrl-C; a second signal ends the process at once.

    Args:
        folder: embedded mode: its data folder.

    Returns:
        Whether everything that was in hand was finished in time.

    Raises:
        Misconfigured: it cannot run as configured.
    """
    start_logging(settings)
    return await run_container(name, built(settings, folder))


async def run_container(name: str, container: Container) -> bool:
    """As `run_role`, on parts that somebody has put together; logging has been started."""
    async with opened(container, name) as parts:
        if container.folder() is not None:
            await install_catalog(container)
        assembly = Assembly(container, ROLES[name])
        supervisor = Supervisor(
            groups=assembly.groups(parts),
            telemetry=assembly.telemetry,
            tasks=container.kernel.tasks(),
            grace=GRACE,
        )
        hear_of_crashes(assembly.telemetry)
        _settle_memory()
        with signals(lambda number: stop(assembly, supervisor, number)):
            port = assembly.http.port if assembly.http else None
            assembly.telemetry.wide("process.started", role=name, pid=os.getpid(), port=port)
            drained = await supervisor.run()
    assembly.telemetry.wide("process.stopped", role=name, drained=drained)  # the last line: all is closed
    return drained


def hear_of_crashes(telemetry: TaskTelemetry) -> None:
    """What ends in a task that nobody awaits, a library's too, is logged and counted."""

    def hear(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            telemetry.task_ended(context.get("name", "other"), End.CRASHED, error)
        else:
            telemetry.trouble("loop.trouble", reason=context.get("message", "unknown"))

    asyncio.get_running_loop().set_exception_handler(hear)


def _settle_memory() -> None:
    """What is loaded by now stays: the collector need not walk it again, nor run for every few objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_OBJECTS, GC_GENERATIONS, GC_GENERATIONS)


def stop(assembly: Assembly, supervisor: Supervisor, number: int) -> None:
    """Begin to drain."""
    assembly.draining = True
    assembly.telemetry.wide("process.drains", role=assembly.role.name, signal=signal.Signals(number).name)
    supervisor.stop()


@contextmanager
def signals(first: Callable[[int], None]) -> Iterator[None]:
    """The first SIGTERM or SIGINT calls `first`; the second ends the process: somebody is in a hurry."""
    loop = asyncio.get_running_loop()
    seen: list[int] = []

    def come(number: int) -> None:
        seen.append(number)
        if len(seen) > 1:
            os._exit(128 + number)
        first(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, come, number)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
