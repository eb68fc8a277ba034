"""How long one request waits for the store, all its waits together.

A request that somebody waits for begins with a budget (`begin`); what waits for the store on its way takes
its time from it (`waiting`, `settled`).  Work without one, such as an actor's, waits as long as it takes.
It travels with the task, as a trace does: no port has to name it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TypeVar

from domain.kernel.errors import StoreUnavailable

T = TypeVar("T")

SECONDS = 2.4
"""Of one request: with what it takes to give up, the caller has an answer within three."""


class _Budget:
    __slots__ = ("left",)

    def __init__(self, seconds: float) -> None:
        self.left = seconds


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


def begin(seconds: float = SECONDS) -> None:
    """From here on this task, and those it starts, have so many seconds to wait."""
    _budget.set(_Budget(seconds))


def limited() -> bool:
    """Whether somebody waits for what this task does."""
    return _budget.get() is not None


@asynccontextmanager
async def waiting() -> AsyncIterator[None]:
    """Spend time of the budget on what stands within; it is cancelled when none is left.

    Raises:
        StoreUnavailable: no time was left.
    """
    budget = _budget.get()
    if budget is None:
        yield
        return
    loop = asyncio.get_running_loop()
    began = loop.time()
    patience = asyncio.timeout(max(budget.left, 0.0))
    try:
        async with patience:
            yield
    except TimeoutError:
        if not patience.expired():
            raise
        raise StoreUnavailable("no answer in the time that a request has") from None
    finally:
        budget.left -= loop.time() - began


async def settled(asked: Iterable["asyncio.Future[T]"]) -> None:
    """Wait until all are done or no time is left; they go on, whoever waits for them."""
    budget = _budget.get()
    open_ = [future for future in asked if not future.done()]
    if not open_:
        return
    if budget is None:
        await asyncio.wait(open_)
        return
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        await asyncio.wait(open_, timeout=max(budget.left, 0.0))
    finally:
        budget.left -= loop.time() - began
