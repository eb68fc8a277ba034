"""Whether the broker still is the one whose data we rely on, and what is done when it is not."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID


class BrokerMarker(Protocol):
    """A mark on the broker that is lost with its data and with nothing else.

    Held to tests/contract/incarnation.py.
    """

    async def stands(self, marker: UUID) -> bool:
        """Whether it is there.

        Raises:
            BrokerUnavailable: it cannot be known now.
        """
        ...

    async def plant(self, marker: UUID) -> None:
        """Make it; again is harmless.  It is there when this returns.

        Raises:
            BrokerUnavailable: it may be there.
        """
        ...


class KnownMarker(Protocol):
    """The database's side: which mark must be on the broker.  Held to tests/contract/incarnation.py."""

    async def marker(self) -> UUID | None:
        """The one we rely on; None: there never was one.

        Raises:
            StoreUnavailable.
        """
        ...

    async def replace(self, marker: UUID) -> None:
        """Rely on this one from now on.

        Raises:
            StoreUnavailable: outcome unknown.
        """
        ...

    def alone(self) -> AbstractAsyncContextManager[bool]:
        """A lock that one process has at a time, and that ends with it; False: another has it.

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
    """Every pointer can be made again from the rows."""

    async def reissue(self) -> int:
        """Issue the pointers of all unfinished deliveries; return how many.

        Raises:
            StoreUnavailable: run it again.
        """
        ...

    async def reissue_dead(self) -> int:
        """Issue those of all open dead letters to their lanes' dead queues; return how many.

        Raises:
            StoreUnavailable: run it again.
        """
        ...
