"""The way from committing code to the relay of its process, whichever is there first."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.outbox.ports import Handoff, OutboxMessage


@dataclass(slots=True)
class ProcessHandoff:
    """Implements `Handoff` for one process.

    A process that relays sets `relay` when it starts.  Without one (a command that commits and ends) messages
    stay in the outbox, where the processes that run find them.
    """

    relay: Handoff | None = None

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        """See `Handoff`."""
        if self.relay is not None:
            self.relay.offer(messages)

    @property
    def waiting(self) -> int:
        """See `Handoff`."""
        return 0 if self.relay is None else self.relay.waiting
