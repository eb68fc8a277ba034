"""A process: tasks that live and die together, and what the world sees of it."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, ContextVar
from itertools import count
from random import Random
from typing import Any, Protocol, TypeVar
from uuid import UUID

from adapters.system import StoreClock
from application.kernel.ports import Clock
from application.privacy.ports import KeyState
from domain.kernel.ids import uuid7

T = TypeVar("T")

_CURRENT: ContextVar["Process"] = ContextVar("process")


class Gone(Exception):
    """The process died, or stopped, before it answered."""


class Ended(Protocol):
    """A subscription that can be lost."""

    def lose(self, reason: str) -> None:
        """It is over."""
        ...


class SeededIds:
    """Implements `Ids`: UUIDv7s that ascend, by virtual time and a seed."""

    def __init__(self, clock: Clock, chance: Random) -> None:
        self._clock = clock
        self._chance = chance
        self._last = 0

    def next(self) -> UUID:
        millis = int(self._clock.now().timestamp() * 1000)
        fresh = (millis << 74) | self._chance.getrandbits(70)
        self._last = fresh if fresh >> 74 > self._last >> 74 else self._last + 1
        return uuid7(self._last >> 74, self._last)


class Process:
    """One process of the product; a restart is another one.

    Args:
        name: for the trace.
        clock: hears the database's, and goes by its machine's until then.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, ids: SeededIds, clock: StoreClock) -> None:
        self.name = name
        self.clock = clock
        self.ids = ids
        self.id = ids.next()
        self.alive = True
        self.died = math.inf
        self.frozen_until = 0.0
        self.cut_off = False
        """From the broker, for ever; from nothing else."""
        self.keys = KeyState(wrong=None)
        """What it is sealed with may be missing for a while."""
        self.drops = 0
        """How often its connection to the broker was lost."""
        self.troubles: list[float] = []
        """When something hindered it: what it began before may end as nobody expects."""
        self.cuts: list[float] = []
        """The same, when it was with the broker alone: that costs nobody a lease."""
        self.subscriptions: list[Ended] = []
        self._loop = loop
        self._context = Context()
        self._context.run(_CURRENT.set, self)
        self._death: asyncio.Future[None] = loop.create_future()
        self._given_up: asyncio.Future[None] = loop.create_future()

    def start(self, main: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run something within it."""
        return self._loop.create_task(main, context=self._context)

    def check(self) -> None:
        """The dead do nothing."""
        if not self.alive:
            raise asyncio.CancelledError

    def troubled(self, *, broker: bool = False) -> None:
        """Something hinders it now."""
        (self.cuts if broker else self.troubles).append(self._loop.time())

    def kill(self) -> None:
        """As SIGKILL: from now on nothing of it has any effect."""
        self.alive = False
        self.died = self._loop.time()
        own = (task for task in asyncio.all_tasks(self._loop) if _owner(task) is self)
        for task in sorted(own, key=_age):
            task.cancel()
        self.hang_up("killed")
        if not self._death.done():
            self._death.set_result(None)

    def give_up(self) -> None:
        """Whoever waits for it waits no more; it is neither dead nor of any use."""
        if not self._given_up.done():
            self._given_up.set_result(None)

    def hang_up(self, reason: str) -> None:
        """Its connection to the broker is lost."""
        self.drops += 1
        lost, self.subscriptions = self.subscriptions, []
        for subscription in lost:
            subscription.lose(reason)

    async def over(self, main: "asyncio.Task[Any]") -> None:
        """Wait until it dies, this ends, or nobody waits for it any more."""
        await asyncio.wait([main, self._death, self._given_up], return_when=asyncio.FIRST_COMPLETED)

    async def request(self, handle: Callable[[], Awaitable[T]]) -> T:
        """Have something handled by it, as over HTTP.

        Raises:
            Gone: nobody knows how far it came.
        """
        if not self.alive:
            raise Gone

        async def handled() -> T:
            return await handle()

        task = self.start(handled())
        await self.over(task)
        if task.done() and not task.cancelled() and self.alive:
            return task.result()
        if not self._given_up.done():
            task.cancel()
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody hears it
        raise Gone


class _Task(asyncio.Task[Any]):
    """What a process begins is its own.  Its number is its hash, so that sets of tasks have one order."""

    def __init__(
        self, coro: Coroutine[Any, Any, Any], *, number: int, owner: Process | None, **more: Any
    ) -> None:
        self.number, self.owner = number, owner
        super().__init__(coro, **more)

    def __hash__(self) -> int:
        return self.number


class TaskFactory:
    """Makes the tasks of one run, see `loop.set_task_factory`."""

    def __init__(self) -> None:
        self._numbers = count()

    def __call__(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, T],
        *,
        context: Context | None = None,
    ) -> "asyncio.Task[T]":
        owner = _CURRENT.get(None) if context is None else context.get(_CURRENT)
        return _Task(coro, number=next(self._numbers), owner=owner, loop=loop, context=context)


def _owner(task: "asyncio.Task[Any]") -> Process | None:
    return task.owner if isinstance(task, _Task) else None


def _age(task: "asyncio.Task[Any]") -> int:
    return task.number if isinstance(task, _Task) else 0
