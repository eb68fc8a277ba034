"""Deliveries whose time has come, and that are not back: whatever became of their messages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from application.messages.pointers import Pointer
from application.ports.outbox import OutboxMessage
from domain.kernel.channel import Lane


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery whose time came `LATE` ago or earlier, or whose lease ended then."""

    pointer: Pointer
    lane: Lane


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one look gave."""

    late: list[Late] = []
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

    async def find(self) -> Found:
        """Look on; bounded.  One process at a time does it: for the others nothing is found.

        Who is late is found again after a while, in pauses that double.

        Raises:
            StoreUnavailable: nothing was found.
        """
        ...

    async def issue(self, late: Sequence[Late]) -> list[OutboxMessage]:
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
