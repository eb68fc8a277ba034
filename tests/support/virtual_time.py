"""An event loop whose time is virtual: when nobody is ready it jumps to the next timer.

Everything runs in one thread and in one order, so a run is a function of its seed alone.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Stuck(Exception):
    """Nobody is ready, and no timer would wake anybody."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs tasks and timers; has no sockets, threads or signals."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        """Virtual seconds since the start."""
        return self._now

    def _run_once(self) -> None:
        """In place of `BaseEventLoop._run_once`: there is no selector, and time jumps."""
        ready, timers = self._ready, self._scheduled
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)
        if not ready:
            if not timers:
                raise Stuck(f"at {self._now:.3f} s")
            self._now = max(self._now, timers[0]._when)
        while timers and timers[0]._when <= self._now:
            timer = heapq.heappop(timers)
            if not timer._cancelled:
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is dropped when its time has come."""

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else is there to be woken by."""


class VirtualClock:
    """Implements `Clock` by the running loop's time."""

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]], factory: Any = None) -> T:
    """Run `main(loop)` on a loop of its own; what is left over at its end is cancelled.

    Args:
        factory: of tasks, see `loop.set_task_factory`.
    """
    loop = VirtualLoop()
    loop.set_task_factory(factory)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(_ended(left))
        loop.close()


async def _ended(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


async def passing(seconds: float) -> None:
    """Wait for so much virtual time."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(seconds, lambda: over.done() or over.set_result(None))
    try:
        await over
    finally:
        timer.cancel()
