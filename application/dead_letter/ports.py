"""Dead letters: deliveries that were given up, until they are replayed or discarded."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage


class DeadLetterStatus(StrEnum):
    """The status of a dead letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery that was given up; (delivery, seq) is the pointer that lies in the lane's `.dlq`."""

    delivery: UUID
    seq: int
    notification: UUID
    type: str
    channel: str
    priority: str
    provider: str | None
    reason: str
    fingerprint: str
    """Names its group: same channel, provider and cause (`domain.delivery.cause`)."""
    attempts: int
    created_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    resolution: str | None = None
    """replayed or discarded; None: open."""
    note: str | None = None

    @property
    def status(self) -> DeadLetterStatus:
        """Open, or what became of it."""
        return DeadLetterStatus.OPEN if self.resolution is None else DeadLetterStatus(self.resolution)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters with the same channel, provider and cause."""

    fingerprint: str
    channel: str
    provider: str | None
    reason: str
    """The reason of the newest one."""
    count: int
    first_at: datetime
    last_at: datetime


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which dead letters of a mode; all that is given must hold."""

    mode: str
    deliveries: tuple[UUID, ...] = ()
    fingerprint: str | None = None
    channel: str | None = None
    provider: str | None = None
    type: str | None = None
    notification: UUID | None = None
    since: datetime | None = None
    """Died at or after this instant."""
    until: datetime | None = None
    """Died before this instant."""
    status: DeadLetterStatus = DeadLetterStatus.OPEN


class Reopened(msgspec.Struct, frozen=True):
    """What a replay did."""

    deliveries: list[UUID]
    """Deliveries that are queued again."""
    messages: list[OutboxMessage]


class GivenUp(msgspec.Struct, frozen=True):
    """What giving up did; pointers in neither list are stale."""

    messages: list[OutboxMessage]
    busy: list[Pointer]
    """Pointers of deliveries with a call under way."""


class DeadLetters(Protocol):
    """Open and close dead letters, set-wise.  Held to tests/contract/dead_letters.py."""

    async def give_up(self, pointers: Sequence[Pointer], reason: str) -> GivenUp:
        """Give these deliveries up without a call: failed, a dead letter, a pointer to the lane's `.dlq`.

        Stale pointers and deliveries with a call under way are left alone.  `reason` is shown and logged.

        Raises:
            StoreUnavailable: nothing was written.
        """
        ...

    async def replay(self, dead_letters: Sequence[Pointer], actor: str) -> Reopened:
        """Send again: a new epoch with retries and deadline of its own, and the letter is closed.

        Closed letters and deliveries that are no longer failed are left alone.  Of a cancelled notification
        nothing is sent again: its letters are put aside, for a pointer moved to its lane is gone with this.

        Raises:
            StoreUnavailable: outcome unknown; again is harmless.
        """
        ...

    async def discard(self, dead_letters: Sequence[Pointer], actor: str, note: str) -> list[UUID]:
        """Close them; the deliveries stay failed.  Returns those that were open."""
        ...


class DeadLetterReader(Protocol):
    """Reads dead letters."""

    async def page(
        self, wanted: Selection, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> list[DeadLetter]:
        """Newest first, behind `before` (created_at, delivery, seq)."""
        ...

    async def groups(self, wanted: Selection, after: tuple[int, str] | None, limit: int) -> list[Group]:
        """Largest first, behind `after` (count, fingerprint)."""
        ...

    async def count(self, wanted: Selection) -> int:
        """How many dead letters the selection has."""
        ...

    async def needed(self, pointers: Sequence[Pointer]) -> frozenset[Pointer]:
        """Those of them that must not be lost: an open letter's, or a delivery's that is still to be sent."""
        ...
