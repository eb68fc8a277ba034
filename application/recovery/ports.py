"""Ports of recovery: whether the broker has lost its data, and issuing everything again."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

import msgspec

from domain.kernel.channel import Lane


class Markers(msgspec.Struct, frozen=True, kw_only=True):
    """The markers that the database has recorded."""

    current: UUID | None
    """The one that must exist on the broker; None: there never was one."""
    others: tuple[UUID, ...] = ()
    """Markers of unfinished recoveries, and left-over ones.  Newest first."""


class BrokerMarker(Protocol):
    """A marker on the broker that is lost with its data and with nothing else.

    Held to tests/contract/marker.py.
    """

    async def exists(self, marker: UUID) -> bool:
        """Whether it exists.

        Raises:
            BrokerUnavailable: it cannot be known now.
        """
        ...

    async def place(self, marker: UUID) -> None:
        """Make it; doing so twice is harmless.  It exists when this returns.

        Raises:
            BrokerUnavailable: it may exist.
        """
        ...

    async def remove(self, marker: UUID) -> None:
        """Remove it; a missing one is no error.

        Raises:
            BrokerUnavailable: it may be there.
        """
        ...


class KnownMarker(Protocol):
    """The database's side: which marker must be on the broker.  Held to tests/contract/marker.py."""

    async def markers(self) -> Markers:
        """All of them.

        Raises:
            StoreUnavailable.
        """
        ...

    async def register(self, marker: UUID) -> None:
        """Record a marker before it is placed on the broker, with no progress yet.

        Raises:
            StoreUnavailable: outcome unknown.
        """
        ...

    async def set_current(self, marker: UUID, gone: Sequence[UUID]) -> None:
        """Make this one the current marker; delete the rows of those that were removed from the broker.

        Raises:
            Conflict: another process has finished meanwhile, and deleted this one.
            StoreUnavailable: outcome unknown.
        """
        ...

    def alone(self) -> AbstractAsyncContextManager[bool]:
        """A lock that one process holds at a time, and loses when its heartbeat stops; False: another process
        holds it.  A process that wakes up after losing it is stopped by `set_current` and `Recovery`.

        Raises:
            StoreUnavailable.
        """
        ...


class Topology(Protocol):
    """The queues and exchanges without which nothing can be issued."""

    async def lay_out(self) -> str | None:
        """Make what is missing, if this process can; return what is still missing, in words, or None.

        Raises:
            BrokerUnavailable: it cannot be known now.
        """
        ...


class Recovery(Protocol):
    """Makes every pointer again from the rows.  Held to tests/contract/recovery.py."""

    async def reissue(self, marker: UUID | None = None, lane: Lane | None = None) -> int:
        """Issue the pointers of all unfinished deliveries, urgent ones first; return how many.

        Args:
            marker: continue where the last process that issued under it stopped.
            lane: only those of this lane.

        Raises:
            Conflict: another process has gone on, or has finished, under this marker.
            StoreUnavailable: run it again.
        """
        ...

    async def reissue_dead(self, marker: UUID | None = None, lane: Lane | None = None) -> int:
        """Issue those of all open dead letters to their lanes' dead queues; return how many.

        Args:
            marker, lane: as for `reissue`.

        Raises:
            Conflict, StoreUnavailable: as for `reissue`.
        """
        ...
