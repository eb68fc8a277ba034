"""Whether the broker still is the one whose data we rely on, and what is done when it is not."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

import msgspec

from domain.kernel.channel import Lane


class Markers(msgspec.Struct, frozen=True, kw_only=True):
    """Which marks the database knows of."""

    current: UUID | None
    """The one that must be on the broker; None: there never was one."""
    others: tuple[UUID, ...] = ()
    """Planted, or about to be, by who has not finished; or left over.  Newest first."""


class BrokerMarker(Protocol):
    """A mark on the broker that is lost with its data and with nothing else.

    Held to tests/contract/marker.py.
    """

    async def exists(self, marker: UUID) -> bool:
        """Whether it is there.

        Raises:
            BrokerUnavailable: it cannot be known now.
        """
        ...

    async def place(self, marker: UUID) -> None:
        """Make it; again is harmless.  It is there when this returns.

        Raises:
            BrokerUnavailable: it may be there.
        """
        ...

    async def remove(self, marker: UUID) -> None:
        """Take it away; what is not there is harmless.

        Raises:
            BrokerUnavailable: it may be there.
        """
        ...


class KnownMarker(Protocol):
    """The database's side: which mark must be on the broker.  Held to tests/contract/marker.py."""

    async def markers(self) -> Markers:
        """All of them.

        Raises:
            StoreUnavailable.
        """
        ...

    async def register(self, marker: UUID) -> None:
        """Remember one that is about to be planted, and how far whoever issues under it has come.

        Raises:
            StoreUnavailable: outcome unknown.
        """
        ...

    async def set_current(self, marker: UUID, gone: Sequence[UUID]) -> None:
        """Rely on this one alone from now on; forget those that are gone from the broker.

        Raises:
            Conflict: another process has finished meanwhile, and forgotten this one.
            StoreUnavailable: outcome unknown.
        """
        ...

    def alone(self) -> AbstractAsyncContextManager[bool]:
        """A lock that one process has at a time, and that ends with its last sign of life; False: another
        has it.  Who wakes up after losing it is stopped by `set_current` and `Recovery`.

        Raises:
            StoreUnavailable.
        """
        ...


class Topology(Protocol):
    """The queues and exchanges without which nothing can be issued."""

    async def lay_out(self) -> str | None:
        """Make what is missing, if that can be done from here; what is missing still, in words.

        Raises:
            BrokerUnavailable: it cannot be known now.
        """
        ...


class Recovery(Protocol):
    """Every pointer can be made again from the rows.  Held to tests/contract/recovery.py."""

    async def reissue(self, marker: UUID | None = None, lane: Lane | None = None) -> int:
        """Issue the pointers of all unfinished deliveries, the urgent first; return how many.

        Args:
            mark: go on where the last one stopped who issued under it.
            lane: of this one alone.

        Raises:
            Conflict: another process has gone on, or has finished, under this mark.
            StoreUnavailable: run it again.
        """
        ...

    async def reissue_dead(self, marker: UUID | None = None, lane: Lane | None = None) -> int:
        """Issue those of all open dead letters to their lanes' dead queues; return how many.

        Args:
            mark, lane: as for `reissue`.

        Raises:
            Conflict, StoreUnavailable: as for `reissue`.
        """
        ...
