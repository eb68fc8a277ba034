"""Ids that callers were given while the database was away, where no notification came of them as asked."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from domain.kernel.channel import Lane, Mode, NotificationClass


class FailedNotification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that could not be made: it has no delivery, and says why."""

    id: UUID
    mode: Mode
    type: str
    klass: NotificationClass
    lane: Lane
    template_id: str | None
    template_version: int | None
    metadata: bytes | None
    """JSON object, in the clear; None when empty."""
    created_by: str | None
    traceparent: str | None
    reason: str
    """Shown to whoever may read notifications, and stored in the clear."""


class IntakeIds(Protocol):
    """Held to tests/contract/intake_ids.py.  Everything here may be done again."""

    async def alias(self, winners: Mapping[UUID, UUID]) -> None:
        """From now on each key of `winners` is another name of the notification it maps to.

        Raises:
            StoreUnavailable: outcome unknown.
        """
        ...

    async def fail(self, failed: Sequence[FailedNotification]) -> None:
        """Commit these as `failed`; an id that stands already stays as it is.

        Raises:
            Invalid: the database refuses a value; nothing was committed.
            StoreUnavailable: outcome unknown.
        """
        ...

    async def winner(self, alias: UUID) -> UUID | None:
        """The notification that an id became an alias of.

        Raises:
            StoreUnavailable.
        """
        ...
