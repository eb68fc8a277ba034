"""One process, from its start to its last line in the log.

Start: settings and container (`config`); database, presence, keys and broker connections are opened, in this
order (`config.lifecycle.opened`); the actors are put together (`entrypoints.processes.roles`) and started
all at once (`entrypoints.engine.supervisor`), each restarted when it crashes; the log says `process.started`.

SIGTERM or Ctrl-C: the log says `process.drains` and `/readyz` answers 503.  The actors are stopped group by
group (`ProcessActors.groups`), within `GRACE` seconds; one that is late is cancelled, and named in the log.
What was opened is closed in the opposite order, the log says `process.stopped`, and the exit code is 0 if
everything in hand was finished, else 1.  A second signal ends the process at once.
"""

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
from entrypoints.processes.roles import ROLES, ProcessActors

GRACE = 25.0
"""Seconds for draining; closing the connections takes up to five more."""
GC_OBJECTS, GC_GENERATIONS = 20_000, 20


class TaskTelemetry(Telemetry, Protocol):
    """Where ends of tasks are reported, beside the common figures."""

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
    """As `run_role`, with a container that exists and logging that is set up."""
    async with opened(container, name) as parts:
        if container.folder() is not None:
            await install_catalog(container)
        actors = ProcessActors(container, ROLES[name])
        supervisor = Supervisor(
            groups=actors.groups(parts),
            telemetry=actors.telemetry,
            tasks=container.kernel.tasks(),
            grace=GRACE,
        )
        report_crashes(actors.telemetry)
        _settle_memory()
        with signals(lambda number: stop(actors, supervisor, number)):
            port = actors.http.port if actors.http else None
            actors.telemetry.wide("process.started", role=name, pid=os.getpid(), port=port)
            drained = await supervisor.run()
    actors.telemetry.wide("process.stopped", role=name, drained=drained)  # the last line: all is closed
    return drained


def report_crashes(telemetry: TaskTelemetry) -> None:
    """Log and count what crashes in a task that nobody awaits, a library's tasks included."""

    def report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:  # as asyncio has it
        error = context.get("exception")
        if isinstance(error, Exception):
            telemetry.task_ended(context.get("name", "other"), End.CRASHED, error)
        else:
            telemetry.trouble("loop.trouble", reason=context.get("message", "unknown"))

    asyncio.get_running_loop().set_exception_handler(report)


def _settle_memory() -> None:
    """Tune the garbage collector: what is loaded by now stays, and need not be walked again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_OBJECTS, GC_GENERATIONS, GC_GENERATIONS)


def stop(actors: ProcessActors, supervisor: Supervisor, number: int) -> None:
    """Begin to drain."""
    actors.draining = True
    actors.telemetry.wide("process.drains", role=actors.role.name, signal=signal.Signals(number).name)
    supervisor.stop()


@contextmanager
def signals(first: Callable[[int], None]) -> Iterator[None]:
    """The first SIGTERM or SIGINT calls `first`; the second ends the process with code 128 + its number."""
    loop = asyncio.get_running_loop()
    seen: list[int] = []

    def received(number: int) -> None:
        seen.append(number)
        if len(seen) > 1:
            os._exit(128 + number)
        first(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received, number)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
