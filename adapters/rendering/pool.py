"""Child processes that render what takes too long for the event loop; they are killed at a deadline.

There are few.  Waiting renders are served in turn by template, so that many of one template do not delay
another, and none waits longer than its patience.  A child starts when it is needed and stays.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from adapters.rendering.child import READY
from adapters.rendering.frames import HEAD, Answer, Question, answer, framed
from application.kernel.supervision import start
from domain.kernel.errors import Overloaded, RenderingTimedOut

CHILDREN_MAX = 2
WAITING_MAX = 500
"""Half of them of one template at most."""
COMMAND = (sys.executable, "-c", "from adapters.rendering.child import main; main()")
"""Starts a child."""
_START_MAX = 20.0
_KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")
"""What a child gets of our environment: no secrets."""

Waiter = asyncio.Future["_Child"]


class _Child:
    """One process; asked one question at a time."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def ready(self) -> None:
        """Return when it has started.

        Raises:
            EOFError, OSError: it has died.
        """
        await self._read(len(READY))

    async def ask(self, message: bytes) -> bytes:
        """Have one message answered.

        Raises:
            EOFError, OSError: it has died.
        """
        if self.process.stdin is not None:  # always: it is a pipe
            self.process.stdin.write(message)
            await self.process.stdin.drain()
        return await self._read(int.from_bytes(await self._read(HEAD), "big"))

    async def _read(self, size: int) -> bytes:
        if self.process.stdout is None:
            raise EOFError
        return await self.process.stdout.readexactly(size)

    def kill(self) -> None:
        """End it, whatever it is doing."""
        with suppress(ProcessLookupError):
            self.process.kill()

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as we know."""
        return self.process.returncode is None


class RenderingPool:
    """Has work done by child processes.

    Args:
        log: logs trouble: the name of an event and its fields.
        children: how many there are at most.
        waiting_max: how many callers may wait for a child; half of them for one template.
        command: starts a child, see `adapters.rendering.child`.
    """

    def __init__(
        self,
        log: Callable[..., object],
        *,
        children: int = CHILDREN_MAX,
        waiting_max: int = WAITING_MAX,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._log = log
        self._children_max = children
        self._waiting_max = waiting_max
        self._command = command
        self._children: set[_Child] = set()
        self._idle: list[_Child] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, deque[Waiter]] = {}

    async def ask(self, message: Question, *, patience: float, deadline: float) -> Answer:
        """Have one question answered by a child.

        Args:
            patience: seconds to wait for a child.
            deadline: seconds that the child has.

        Raises:
            RenderingTimedOut: the child was killed, or died of it.
            Overloaded: no child was free in time, or too many wait.
        """
        frame = framed(message)
        child = await self._child(message.template.id, patience)
        try:
            async with asyncio.timeout(deadline):
                answered = answer(await child.ask(frame))
        except TimeoutError:
            self._drop(child)
            self._log("rendering.stopped", template=message.template.id, seconds=deadline)
            raise RenderingTimedOut(f"rendering took more than {deadline:g} s") from None
        except (EOFError, OSError, msgspec.DecodeError):
            self._drop(child)
            self._log("rendering.died", template=message.template.id)
            raise RenderingTimedOut("rendering took too much time or memory") from None
        except BaseException:  # cancelled: what it is doing is of no use any more
            self._drop(child)
            raise
        self._free(child)
        return answered

    async def close(self) -> None:
        """End all children; call it once nobody asks any more."""
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        for child in self._children:
            child.kill()
        await asyncio.gather(*(child.process.wait() for child in self._children))

    async def _child(self, template: str, patience: float) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            self._children.discard(child)
        crowd = len(self._waiting.get(template, ()))
        waiting = sum(map(len, self._waiting.values()))
        if waiting >= self._waiting_max or crowd >= self._waiting_max // 2:
            raise Overloaded("too much waits to be rendered")
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(template, deque()).append(waiter)
        self._start()
        try:
            async with asyncio.timeout(patience):
                return await waiter
        except BaseException as gone:
            self._leave(template, waiter)
            if isinstance(gone, TimeoutError):
                raise Overloaded("too much waits to be rendered") from None
            raise

    def _free(self, child: _Child) -> None:
        waiter = self._next()
        if waiter is None:
            self._idle.append(child)
        else:
            waiter.set_result(child)

    def _next(self) -> Waiter | None:
        """The next waiting render: one of each template, in turn."""
        while self._waiting:
            template, waiters = next(iter(self._waiting.items()))
            del self._waiting[template]
            waiter = waiters.popleft()
            if waiters:
                self._waiting[template] = waiters
            if not waiter.done():
                return waiter
        return None

    def _leave(self, template: str, waiter: Waiter) -> None:
        """Take a waiter out of the queue; a child that came too late goes to the next."""
        waiters = self._waiting.get(template, ())
        if waiter in waiters:
            self._waiting[template].remove(waiter)
            if not waiters:
                del self._waiting[template]
        elif waiter.done() and not waiter.cancelled():
            self._free(waiter.result())

    def _drop(self, child: _Child) -> None:
        child.kill()
        self._children.discard(child)
        if self._waiting:
            self._start()

    def _start(self) -> None:
        if len(self._children) + len(self._starting) < self._children_max:
            start("rendering child", self._started(), among=self._starting)

    async def _started(self) -> None:
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        child = None
        try:
            async with asyncio.timeout(_START_MAX):
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=DEVNULL,
                    env=environment,
                    start_new_session=True,
                )
                child = _Child(process)
                await child.ready()
        except (OSError, EOFError, TimeoutError) as error:
            self._log("rendering.cannot_start", error=f"{type(error).__name__}: {error}")
        except asyncio.CancelledError:
            if child is not None:
                child.kill()
            raise
        else:
            self._children.add(child)
            self._free(child)
            return
        if child is not None:
            child.kill()
