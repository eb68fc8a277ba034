"""What an actor is to its supervisor, and how actors wait."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Actor(Protocol):
    """A long-running task: `run` returns when it has drained after `stop`; after a crash it is run again."""

    @property
    def name(self) -> str:
        """For logs and metrics."""
        ...

    async def run(self) -> None:
        """Work until stopped."""
        ...

    def stop(self) -> None:
        """Take nothing more, finish what is in hand."""
        ...


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, but return at once when `stopping` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass


async def unless(event: asyncio.Event, work: Awaitable[T], *, patience: float = 0.0) -> T | None:
    """Do `work` unless `event` comes first; returns its result, or None when it was cancelled.

    Args:
        patience: seconds that `work` may still take after the event.
    """
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if patience and not working.done():
            await asyncio.wait({working}, timeout=patience)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        waiting.cancel()
