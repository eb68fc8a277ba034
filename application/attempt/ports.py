"""Calls whose outcome is unknown, until an operator or the policy of the class resolves them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from application.outbox.ports import OutboxMessage
from domain.delivery.reconcile import OpenCall


class Resolution(StrEnum):
    """How a call with an unknown outcome is resolved."""

    SENT = "sent"
    FAILED = "failed"
    RESEND = "resend"


class UnknownAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One call without an answer."""

    delivery: UUID
    attempt: int
    notification: UUID
    type: str
    klass: str
    channel: str
    provider: str | None
    reason: str
    status: str
    """The state of the delivery now."""
    held: bool
    """The delivery is held until this attempt is resolved."""
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    """None: by the policy of its class."""
    resolution: str | None


class UnknownFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which attempts; all conditions that are given must hold."""

    mode: str
    held: bool | None = None
    resolved: bool | None = None
    channel: str | None = None
    provider: str | None = None
    notification: UUID | None = None
    created_after: datetime | None = None
    """Then or later."""
    created_before: datetime | None = None


class UnknownAttempts(Protocol):
    """Held to tests/contract/unknown_attempts.py."""

    async def page(
        self, wanted: UnknownFilter, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> Sequence[UnknownAttempt]:
        """Newest first, behind `before` (created_at, delivery, attempt)."""
        ...

    async def resolve(
        self, delivery: UUID, attempt: int, mode: str, resolution: Resolution, actor: str
    ) -> list[OutboxMessage]:
        """Close it, and move the held delivery on: to sent, to failed (a dead letter), or into a new epoch.

        Raises:
            NotFound: no such attempt of this mode.
            Conflict: it is resolved already, or its delivery is not held for it.
            StoreUnavailable: outcome unknown; a second time is a Conflict if the first went through.
        """
        ...

    async def held(self) -> int:
        """How many deliveries are held: for the metrics."""
        ...


class OpenCalls(Protocol):
    """Calls without an answer about which nothing is decided.  Held to tests/contract/open_calls.py."""

    async def of(self, deliveries: Sequence[UUID]) -> Mapping[UUID, tuple[OpenCall, ...]]:
        """Those of these deliveries, by attempt; a delivery without any is not in it.

        Raises:
            StoreUnavailable: send nothing.
        """
        ...
