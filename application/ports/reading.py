"""The read side: flat structs for lists and pages, no aggregates."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from domain.notification.rollup import Counts


class NotificationView(msgspec.Struct, frozen=True, kw_only=True):
    """One notification as it is shown."""

    id: UUID
    mode: str
    type: str
    klass: str
    channel: str
    priority: str
    status: str
    reason: str | None
    """Why it failed though it has no delivery that could say so."""
    template_id: str | None
    template_version: int | None
    metadata: dict[str, Any]
    created_by: str | None
    counts: Counts
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One call to a provider."""

    number: int
    provider: str
    outcome: str
    """open, accepted, deferred, refused, unknown or not_called."""
    reason: str | None
    reference: str | None
    begun_at: datetime
    cleared_at: datetime
    settled_at: datetime | None
    latency_ms: float | None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery as it is shown; `profile` and `data_key` are sealed, for the use case to open."""

    id: UUID
    notification: UUID
    person: UUID
    channel: str
    status: str
    reason: str | None
    provider: str | None
    attempts: list[AttemptView]
    not_before: datetime | None
    held_at: datetime | None
    created_at: datetime
    updated_at: datetime
    data_key: bytes | None
    profile: bytes | None


class HistoryView(msgspec.Struct, frozen=True, kw_only=True):
    """One move of one delivery."""

    delivery: UUID
    n: int
    status: str
    reason: str | None
    actor: str | None = None
    """Who did it, when it was not the engine."""
    at: datetime


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which notifications; all given must hold."""

    mode: str
    statuses: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    channel: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    person: UUID | None = None
    created_by: str | None = None
    metadata: dict[str, Any] = {}
    """Exact match of each member."""


class Reader(Protocol):
    """Notifications and what became of them."""

    async def notification(self, notification: UUID, mode: str) -> NotificationView | None:
        """One."""
        ...

    async def notifications(self, wanted: Filter, before: UUID | None, limit: int) -> list[NotificationView]:
        """Newest first, behind `before`."""
        ...

    async def deliveries(
        self, notification: UUID, after: UUID | None, limit: int, *, statuses: tuple[str, ...] = ()
    ) -> list[DeliveryView]:
        """In id order, each with its attempts."""
        ...

    async def history(
        self, notification: UUID, after: tuple[UUID, int] | None, limit: int
    ) -> list[HistoryView]:
        """Every move of every delivery, in (delivery, n) order."""
        ...


class Cancelling(Protocol):
    """Stopping a notification."""

    async def mark(self, notification: UUID, mode: str) -> bool:
        """Set `cancelled_at` (once); False when there is no such notification."""
        ...

    async def sweep(self, notification: UUID, limit: int) -> int:
        """Cancel up to `limit` deliveries that nobody holds, with counters and history; return how many."""
        ...

    async def tally(self, notification: UUID) -> "CancelTally":
        """How it stands now."""
        ...


class CancelTally(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a cancel."""

    cancelled: int
    already_sent: int
    in_flight: int
