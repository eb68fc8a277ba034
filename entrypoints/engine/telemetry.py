"""Figures and logs of actors: one wide event for each unit of work."""

from collections.abc import Iterable
from typing import Protocol

TRACES_MAX = 5


class Telemetry(Protocol):
    """Where actors put figures and wide events; never addresses, never content."""

    def delivered(self, channel: str, provider: str, outcome: str, count: int = 1) -> None:
        """Calls that ended."""
        ...

    def stage(self, name: str, seconds: float) -> None:
        """How long a stage of the way took."""
        ...

    def wide(self, event: str, **fields: object) -> None:
        """One wide event for one unit of work."""
        ...

    def trouble(self, event: str, **fields: object) -> None:
        """Something an operator should see."""
        ...


def trace_ids(parents: Iterable[str | None]) -> list[str]:
    """The trace ids in some `traceparent`s, to find a batch by in the logs: a few are enough."""
    return sorted({parent.split("-")[1] for parent in parents if parent and parent.count("-") == 3})[
        :TRACES_MAX
    ]
