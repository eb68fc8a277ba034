"""Tasks that live as long as their process: run again when they end unasked, and every end is told.

    tasks = Tasks(telemetry.task_ended)
    task = tasks.keep("presence", self._keep)         # until it is cancelled …
    task = tasks.keep("relay", run, stopping=event)   # … or returns after `stopping` is set
    start("acks", self._flush(), among=self._tasks)   # a task that ends by itself; a crash is told

No other code makes tasks that nobody awaits: such a one can die without a word.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")

BACKOFF_MIN, BACKOFF_MAX = 0.5, 30.0
"""Seconds between two runs; doubling, and short again after a run that was longer than the longest."""


class End(StrEnum):
    """How a task, or what it keeps open, ended."""

    STOPPED = "stopped"
    CANCELLED = "cancelled"
    CRASHED = "crashed"
    RETURNED = "returned"
    """Though nobody had stopped it."""
    LOST = "lost"
    """The connection that it keeps: it is opened again."""


Ended = Callable[[str, End, Exception | None], None]
"""Called with each end: the task's name, how it ended, and its error."""


def report_to_loop(task: str, end: End, error: Exception | None) -> None:
    """Report a crash to the event loop's exception handler."""
    if error is not None:
        context = {"message": f"task {task} {end}", "exception": error, "name": task}
        asyncio.get_running_loop().call_exception_handler(context)


class Tasks:
    """The long-lived tasks of one process."""

    def __init__(self, ended: Ended = report_to_loop) -> None:
        self.ended = ended
        self.down: dict[str, str] = {}
        """Name -> how it ended, of those that wait to be run again."""

    def keep(
        self, name: str, work: Callable[[], Awaitable[None]], *, stopping: asyncio.Event | None = None
    ) -> "asyncio.Task[None]":
        """Run `work` again and again, until it is cancelled or has returned after `stopping`."""
        return asyncio.create_task(self._keep(name, work, stopping or asyncio.Event()), name=name)

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        wait = BACKOFF_MIN
        while True:
            began = loop.time()
            crash = await self._run(name, work)
            asked = End.STOPPED if stopping.is_set() else End.RETURNED
            end = asked if crash is None else End.CRASHED
            self.ended(name, end, crash)
            if stopping.is_set():
                return
            if loop.time() - began > BACKOFF_MAX:
                wait = BACKOFF_MIN
            self.down[name] = f"{end}: {type(crash).__name__}" if crash else str(end)
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await stopping.wait()
            finally:
                del self.down[name]
            wait = min(wait * 2, BACKOFF_MAX)

    async def _run(self, name: str, work: Callable[[], Awaitable[None]]) -> Exception | None:
        try:
            await uncancelled(work())
        except asyncio.CancelledError:
            self.ended(name, End.CANCELLED, None)
            raise
        except Exception as crash:  # noqa: BLE001  supervising is catching what nobody foresaw
            return crash
        return None


async def uncancelled(work: Awaitable[T]) -> T:
    """Await it; a cancellation that nobody asked this task for is a crash.

    Libraries end waits with CancelledError when a connection dies.  To asyncio such a task was cancelled by
    its owner: no group ends with it, nothing is logged.

    Raises:
        RuntimeError: it came about so.
    """
    try:
        return await work
    except asyncio.CancelledError as stray:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("ended by a cancellation that nobody asked for") from stray


def start(
    name: str,
    work: Coroutine[Any, Any, None],  # as create_task has it
    *,
    among: "set[asyncio.Task[None]]",
    context: Context | None = None,
) -> "asyncio.Task[None]":
    """Start what ends by itself; it is held in `among` until then, and a crash is told to the loop."""
    task = asyncio.create_task(uncancelled(work), name=name, context=context)
    among.add(task)
    task.add_done_callback(lambda done: _over(name, done, among))
    task.add_done_callback(lambda _: work.close())  # one that was cancelled before it began was not awaited
    return task


def _over(name: str, task: "asyncio.Task[None]", among: "set[asyncio.Task[None]]") -> None:
    among.discard(task)
    crash = None if task.cancelled() else task.exception()
    if isinstance(crash, Exception):
        report_to_loop(name, End.CRASHED, crash)
