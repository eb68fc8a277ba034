"""What a list or a page shows of notifications: flat structs, no aggregates."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.kernel.json_values import Json
from domain.notification.rollup import Counts
from domain.notification.routing import ChannelRoute


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
    category: str | None = None
    routing: str | None = None
    """What its several channels mean; None: it has one."""
    routes: tuple[ChannelRoute, ...] = ()
    """Its channels in their order, where there are several."""
    metadata: dict[str, Json]
    created_by: str | None
    counts: Counts
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None


class HistoryView(msgspec.Struct, frozen=True, kw_only=True):
    """One move of one delivery."""

    delivery: UUID
    n: int
    status: str
    reason: str | None
    actor: str | None = None
    """Who did it, when it was not the engine."""
    at: datetime
