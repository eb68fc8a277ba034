"""What a list or a page shows of deliveries: flat structs, no aggregates."""

from datetime import datetime
from uuid import UUID

import msgspec


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


class DeviceResultView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a push delivery on one device."""

    device: bytes
    platform: str
    provider: str
    attempt: int
    outcome: str
    reason: str | None
    reference: str | None
    at: datetime


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery as it is shown; `profile` and `data_key` are sealed, for the use case to open."""

    id: UUID
    notification: UUID
    user: UUID
    channel: str
    status: str
    reason: str | None
    provider: str | None
    attempts: list[AttemptView]
    devices: list[DeviceResultView] = []
    """Of a push delivery; those that were called."""
    not_before: datetime | None
    held_at: datetime | None
    created_at: datetime
    updated_at: datetime
    data_key: bytes | None
    profile: bytes | None
