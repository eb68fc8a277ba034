"""The outbox, and deliveries that are overdue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from application.outbox.pointers import Pointer
from domain.kernel.channel import Lane


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


class Excluded(msgspec.Struct, frozen=True):
    """What a read of the outbox leaves out, because it could not be published a moment ago."""

    queues: frozenset[str] = frozenset()
    """Nothing for these."""
    delayed: frozenset[str] = frozenset()
    """Nothing for these that has a `due`: it takes another way."""
    ids: frozenset[UUID] = frozenset()


NOTHING_EXCLUDED = Excluded()


class OutboxBacklog(msgspec.Struct, frozen=True):
    """How much waits, of all owners."""

    pending: int
    oldest_age: float
    """Seconds; 0 when nothing waits."""


class Outbox(Protocol):
    """The outbox rows of this process, and those of processes that have died."""

    async def delete(self, ids: Sequence[UUID]) -> None:
        """They are confirmed: set-wise, idempotent."""
        ...

    async def owned(self, limit: int, excluded: Excluded = NOTHING_EXCLUDED) -> list[OutboxMessage]:
        """This process's rows, most urgent and oldest first."""
        ...

    async def adopt(self, limit: int, excluded: Excluded = NOTHING_EXCLUDED) -> int:
        """Take over rows whose owner no longer holds its lock, in the same order; return how many."""
        ...

    async def backlog(self) -> OutboxBacklog:
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


class OverdueDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery whose time came `LATE` ago or earlier, or whose lease ended then."""

    pointer: Pointer
    lane: Lane


class OverdueFound(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one look."""

    late: list[OverdueDelivery] = []
    more: bool = False
    """There is more to be looked at already."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery of a lane that waits longest."""

    lane: Lane
    since: datetime
    """When its time came."""
    age: timedelta
    """Since then."""
    paused: bool
    """The channel is paused, or disabled: it is meant to wait."""


class Overdue(Protocol):
    """Looks at each delivery once, thirty seconds after it was accepted, and again at what is open then.

    Held to tests/contract/overdue.py.
    """

    async def find(self) -> OverdueFound:
        """Look on; bounded.  One process at a time does it: for the others nothing is found.

        Who is late is found again after a while, in pauses that double.

        Raises:
            StoreUnavailable: nothing was found.
        """
        ...

    async def issue(self, late: Sequence[OverdueDelivery]) -> list[OutboxMessage]:
        """Commit a message for each that is still late; no row changes.

        The pointer is the one that is missing: should it stand in somebody's hand after all, it keeps its
        place there, and whichever comes second is stale.

        Raises:
            StoreUnavailable: outcome unknown; they are found again.
        """
        ...

    async def longest(self) -> list[Waiting]:
        """Of each lane in which something waits that was late at the last look.

        Raises:
            StoreUnavailable.
        """
        ...
