"""What an actor is to its supervisor."""

import asyncio
from typing import Protocol


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
    """Sleep, but wake at once when stopping."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
