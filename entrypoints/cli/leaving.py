"""A command commits and ends; what it has committed is carried on by the processes that run."""

from collections.abc import Sequence
from typing import Any


class LeaveIt:
    """Implements `Handoff` and `Nudge`: a running process finds the message in the outbox, and the job."""

    waiting = 0

    def offer(self, messages: Sequence[Any]) -> None:
        """Nothing to do."""

    def nudge(self) -> None:
        """Nothing to do."""
