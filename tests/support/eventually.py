"""Waiting for something to become true, or to stay true, instead of sleeping.

await eventually(lambda: child.exited)                      # until the answer is truthy; returns the answer
row = await eventually(lambda: read_row(id), timeout=30)    # coroutines too
async def all_sent() -> None:
    assert await count("sent") == 2000
await eventually(all_sent)                                  # until the assertion holds; else its own error
await steadily(nothing_sent, seconds=2)                     # fails as soon as it does not hold
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    probe: Callable[[], Awaitable[T] | T], *, timeout: float = 10, interval: float = 0.05
) -> T:
    """Ask `probe` every `interval` seconds until its answer is truthy or None, and return the answer.

    None counts as true, so that a function of bare assertions can be given.

    Raises:
        AssertionError: the last failed assertion, or what was answered last, after `timeout` seconds.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        try:
            answer = await _ask(probe)
            if answer is None or answer:
                return answer
            failure = AssertionError(f"still {answer!r} after {timeout} s")
        except AssertionError as error:
            failure = error
        if asyncio.get_running_loop().time() >= deadline:
            raise failure
        await asyncio.sleep(interval)


async def steadily(probe: Callable[[], Awaitable[T] | T], *, seconds: float, interval: float = 0.05) -> None:
    """Ask `probe` for `seconds`, and fail as soon as it fails an assertion or answers something false."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        answer = await _ask(probe)
        assert answer is None or answer, f"became {answer!r}"
        await asyncio.sleep(interval)


async def _ask(probe: Callable[[], Awaitable[T] | T]) -> T:
    answer = probe()
    return await answer if inspect.isawaitable(answer) else answer
