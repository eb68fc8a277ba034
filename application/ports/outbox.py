"""The outbox: messages committed with the rows they speak of, published afterwards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One future message."""

    id: UUID
    queue: str
    body: bytes
    priority: int = 2
    """As `Priority`: smaller is published first."""
    due: datetime | None = None
    """Not before this instant (aware UTC); None: now."""
    headers: dict[str, str] = {}


class Without(msgspec.Struct, frozen=True):
    """What a look into the outbox leaves out: it was tried a moment ago, and could not be published."""

    queues: frozenset[str] = frozenset()
    """Nothing for these."""
    delayed: frozenset[str] = frozenset()
    """Nothing for these that has a `due`: it takes another way."""
    ids: frozenset[UUID] = frozenset()


ALL = Without()


class Backlog(msgspec.Struct, frozen=True):
    """How much waits, of all owners."""

    pending: int
    oldest_age: float
    """Seconds; 0 when nothing waits."""


class Outbox(Protocol):
    """The rows of this process, and those of the dead."""

    async def delete(self, ids: Sequence[UUID]) -> None:
        """They are confirmed: set-wise, idempotent."""
        ...

    async def owned(self, limit: int, without: Without = ALL) -> list[OutboxMessage]:
        """This process's rows, most urgent and oldest first."""
        ...

    async def adopt(self, limit: int, without: Without = ALL) -> int:
        """Take over rows whose owner no longer holds its lock, in the same order; return how many."""
        ...

    async def backlog(self) -> Backlog:
        """For metrics and readiness."""
        ...


class Handoff(Protocol):
    """From committing code to its process's relay, in memory; never waits, may forget: the sweep finds it."""

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        """Publish these soon."""
        ...

    @property
    def waiting(self) -> int:
        """Messages not yet published: a measure of backlog."""
        ...
