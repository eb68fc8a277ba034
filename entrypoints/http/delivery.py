"""A notification's deliveries and the history of their states."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from litestar import get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.delivery.page import ShownDelivery
from application.notification.ports import HistoryView
from domain.delivery.delivery import DeliveryStatus
from entrypoints.http.kit.answers import Answer
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import ListQuery, Page, page, position
from entrypoints.http.kit.path_ids import known_uuid
from entrypoints.http.kit.query import read_query
from entrypoints.http.kit.request import Req, call_of, services_of
from entrypoints.http.kit.view import View


class AttemptOut(View):
    """One call to a provider."""

    number: int
    provider: str
    outcome: str
    reason: str | None
    provider_message_id: str | None
    begun_at: datetime
    settled_at: datetime | None
    latency_ms: float | None


class DeliveryOut(View):
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
    not_before: datetime | None
    held_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownDelivery) -> Self:
        """As it is shown."""
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
            attempts=[AttemptOut.copy(a, provider_message_id=a.reference) for a in row.attempts],
        )


class HistoryOut(View):
    """One move of one delivery."""

    delivery_id: UUID
    n: int
    status: str
    reason: str | None
    actor: Annotated[str | None, Meta(description="who did it, when it was not the engine")]
    at: datetime

    @classmethod
    def of(cls, row: HistoryView) -> Self:
        """As it is shown."""
        return cls.copy(row, delivery_id=row.delivery)


class DeliveryQuery(ListQuery, frozen=True, kw_only=True):
    """Which deliveries."""

    status: Annotated[tuple[DeliveryStatus, ...], Meta(description="several with commas")] = ()


@get(
    "/notifications/{notification_id:str}/deliveries",
    opt=documented(
        tag="Notifications",
        access=Access.OWN,
        summary="List a notification's deliveries",
        description="One for each recipient, with every attempt. Addresses are masked.",
        query=DeliveryQuery,
        returns={200: (Page[DeliveryOut], "A page")},
        answer_headers=("Link",),
        problems=("not-found",),
    ),
)
async def list_deliveries(request: Req, notification_id: FromPath[str]) -> Answer:
    """Per-recipient status."""
    query = read_query(request, DeliveryQuery)
    rows = await services_of(request).list_deliveries(
        known_uuid(notification_id),
        call_of(request).mode,
        after=position(request, query.cursor, UUID),
        limit=query.limit + 1,
        statuses=query.status,
    )
    return page(request, rows, query.limit, shown=DeliveryOut.of, at=lambda row: row.delivery.id)


@get(
    "/notifications/{notification_id:str}/history",
    opt=documented(
        tag="Notifications",
        access=Access.OWN,
        summary="List every move of a notification's deliveries",
        query=ListQuery,
        returns={200: (Page[HistoryOut], "A page")},
        answer_headers=("Link",),
        problems=("not-found",),
    ),
)
async def list_history(request: Req, notification_id: FromPath[str]) -> Answer:
    """The audit trail."""
    query = read_query(request, ListQuery)
    rows = await services_of(request).list_history(
        known_uuid(notification_id),
        call_of(request).mode,
        after=position(request, query.cursor, tuple[UUID, int]),
        limit=query.limit + 1,
    )
    return page(request, rows, query.limit, shown=HistoryOut.of, at=lambda row: (row.delivery, row.n))


ROUTES: list[ControllerRouterHandler] = [list_deliveries, list_history]
