"""A notification's deliveries and the history of their states."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.delivery.page import ShownDelivery
from application.device.identity import short_id
from application.notification.views import HistoryView
from domain.delivery.delivery import DeliveryStatus
from entrypoints.http.kit.answers import View
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.openapi.declared import LINK, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.path_ids import UuidInPath, known_uuid


class AttemptOut(View, frozen=True, kw_only=True):
    """One call to a provider."""

    number: int
    provider: str
    outcome: str
    reason: str | None
    provider_message_id: str | None
    begun_at: datetime
    settled_at: datetime | None
    latency_ms: float | None


class DeviceResultOut(View, frozen=True, kw_only=True):
    """What became of a push notification on one device."""

    device: Annotated[str, Meta(description="its `id`; empty: the provider knows the user's devices")]
    platform: str
    provider: str
    attempt: int
    outcome: str
    reason: str | None
    provider_message_id: str | None
    at: datetime


class DeliveryOut(View, frozen=True, kw_only=True):
    """One recipient's delivery; addresses are masked."""

    id: UUID
    notification_id: UUID
    recipient_id: Annotated[str | None, Meta(description="the shop's own user id; null for guests")]
    recipient_email: Annotated[str | None, Meta(examples=["l•••@example.com"])]
    recipient_phone: Annotated[str | None, Meta(examples=["+49•••20"])]
    channel_type: str
    status: str
    failure_reason: str | None
    provider: str | None
    provider_message_id: str | None
    retry_count: int
    attempts: list[AttemptOut]
    devices: Annotated[list[DeviceResultOut], Meta(description="of push: each device that was called")]
    not_before: datetime | None
    held_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownDelivery) -> Self:
        """Made from what the application returns."""
        row = shown.delivery
        references = [attempt.reference for attempt in row.attempts if attempt.reference]
        return cls.copy(
            row,
            notification_id=row.notification,
            recipient_id=shown.user_id,
            recipient_email=shown.email,
            recipient_phone=shown.phone,
            channel_type=row.channel,
            failure_reason=row.reason,
            provider_message_id=references[-1] if references else None,
            retry_count=max(len(row.attempts) - 1, 0),
            devices=[
                DeviceResultOut.copy(each, device=short_id(each.device), provider_message_id=each.reference)
                for each in row.devices
            ],
            attempts=[AttemptOut.copy(a, provider_message_id=a.reference) for a in row.attempts],
        )


class HistoryOut(View, frozen=True, kw_only=True):
    """One move of one delivery."""

    delivery_id: UUID
    n: int
    status: str
    reason: str | None
    actor: Annotated[str | None, Meta(description="who did it, when it was not the engine")]
    at: datetime

    @classmethod
    def of(cls, row: HistoryView) -> Self:
        """Made from what the application returns."""
        return cls.copy(row, delivery_id=row.delivery)


class DeliveryQuery(ListQuery, frozen=True, kw_only=True):
    """Which deliveries."""

    status: Annotated[tuple[DeliveryStatus, ...], Meta(description="several with commas")] = ()


@get(
    "/notifications/{notification_id:str}/deliveries",
    summary="List a notification's deliveries",
    description=(
        "One for each recipient and channel, with every attempt. Addresses are masked. With `routing: first` "
        "those behind the channel whose turn it is are in `standby`."
    ),
    response_description="A page",
    response_headers=[LINK],
    opt=declare(problems=("not-found",)),
)
async def list_deliveries(
    request: ApiRequest,
    notification_id: UuidInPath,
    params: NamedDependency[DeliveryQuery],
) -> Response[Page[DeliveryOut]]:
    """One item for each recipient and channel."""
    pager = Pager(request)
    rows = await request.services.list_deliveries(
        known_uuid(notification_id),
        request.mode,
        after=pager.position(params.cursor, UUID),
        limit=params.limit + 1,
        statuses=params.status,
    )
    return pager.page(rows, params.limit, shown=DeliveryOut.of, at=lambda row: row.delivery.id)


@get(
    "/notifications/{notification_id:str}/history",
    summary="List every move of a notification's deliveries",
    response_description="A page",
    response_headers=[LINK],
    opt=declare(problems=("not-found",)),
)
async def list_history(
    request: ApiRequest,
    notification_id: UuidInPath,
    params: NamedDependency[ListQuery],
) -> Response[Page[HistoryOut]]:
    """Every change of state, with who made it."""
    pager = Pager(request)
    rows = await request.services.list_history(
        known_uuid(notification_id),
        request.mode,
        after=pager.position(params.cursor, tuple[UUID, int]),
        limit=params.limit + 1,
    )
    return pager.page(rows, params.limit, shown=HistoryOut.of, at=lambda row: (row.delivery, row.n))


ROUTES: list[ControllerRouterHandler] = [list_deliveries, list_history]
