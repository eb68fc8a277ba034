"""Answers about notifications and their deliveries."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta, field

from application.delivery.page import ShownDelivery
from application.notification.ports import CancelTally, HistoryView, NotificationView
from application.notification.preview import Preview
from domain.notification.rollup import Counts
from entrypoints.http.views.view import View


class Links(View):
    """Where to go from a notification."""

    self_: str = field(name="self")
    deliveries: str
    history: str
    cancel: str

    @classmethod
    def of(cls, notification: UUID) -> Self:
        """The paths of a notification."""
        at = f"/api/notifications/{notification}"
        return cls(self_=at, deliveries=f"{at}/deliveries", history=f"{at}/history", cancel=f"{at}/cancel")


class AcceptedOut(View, omit_defaults=True):
    """Accepted: committed, and on its way."""

    id: UUID
    status: Annotated[str, Meta(examples=["queued"])]
    links: Links
    degraded: Annotated[
        bool, Meta(description="the database is away: kept by the broker, and committed later")
    ] = False


class NotificationOut(View):
    """One notification and how it stands."""

    id: UUID
    mode: str
    notification_type: str
    klass: str = field(name="class")
    channel_type: str
    priority: str
    status: str
    reason: Annotated[
        str | None, Meta(description="why it failed, when it has no deliveries that could say so")
    ]
    template_id: str | None
    template_version: int | None
    metadata: dict[str, Any]
    created_by: str | None
    counts: Counts
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    links: Links

    @classmethod
    def of(cls, row: NotificationView) -> Self:
        """As it is shown."""
        return cls.copy(row, notification_type=row.type, channel_type=row.channel, links=Links.of(row.id))


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


class CancelledOut(View):
    """What a cancel came in time for."""

    cancelled: int
    already_sent: int
    in_flight: int

    @classmethod
    def of(cls, tally: CancelTally) -> Self:
        """As it is shown."""
        return cls.copy(tally)


class PreviewedRecipientOut(View):
    """One recipient's message."""

    recipient_id: str | None
    reachable: Annotated[bool, Meta(description="an address is known for the channel")]
    decision: Annotated[
        Literal["send", "wait", "suppress", "fail"],
        Meta(description="as things stand; suppressed addresses are looked up only when sending"),
    ]
    reason: str | None
    subject: str | None
    body: str | None
    html_body: str | None
    problem: str | None


class PreviewOut(View):
    """What would happen; nothing was sent or kept."""

    channel_type: str
    priority: str
    template_id: str | None
    template_version: int | None
    recipients: Annotated[int, Meta(description="distinct persons; the first ten are rendered")]
    rendered: list[PreviewedRecipientOut]

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """As it is shown."""
        rendered = [PreviewedRecipientOut.copy(one, recipient_id=one.user_id) for one in preview.rendered]
        return cls.copy(preview, channel_type=preview.channel, rendered=rendered)
