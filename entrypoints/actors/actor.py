"""What an actor is to its supervisor, and what it may tell the outside."""

import asyncio
from collections.abc import Iterable
from typing import Any, Protocol

TRACES_MAX = 5


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


class Telemetry(Protocol):
    """Where actors put figures and wide events; never addresses, never content."""

    def delivered(self, channel: str, provider: str, outcome: str, count: int = 1) -> None:
        """Calls that ended."""
        ...

    def stage(self, name: str, seconds: float) -> None:
        """How long a stage of the way took."""
        ...

    def wide(self, event: str, **fields: Any) -> None:
        """One wide event for one unit of work."""
        ...

    def trouble(self, event: str, **fields: Any) -> None:
        """Something an operator should see."""
        ...


def trace_ids(parents: Iterable[str | None]) -> list[str]:
    """The trace ids in some `traceparent`s, to find a batch by in the logs: a few are enough."""
    return sorted({parent.split("-")[1] for parent in parents if parent and parent.count("-") == 3})[
        :TRACES_MAX
    ]


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, but wake at once when stopping."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
