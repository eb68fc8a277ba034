"""Answers about notifications."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from msgspec import Meta, field

from application.notification.ports import CancelTally
from application.notification.preview import Preview
from application.notification.views import NotificationView
from domain.kernel.json_values import Json
from domain.notification.rollup import Counts
from domain.notification.routing import ChannelRoute
from entrypoints.http.kit.answers import View


class Links(View, frozen=True, kw_only=True):
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


class AcceptedOut(View, frozen=True, kw_only=True, omit_defaults=True):
    """Accepted: committed, and on its way."""

    id: UUID
    status: Annotated[str, Meta(examples=["queued"])]
    links: Links
    degraded: Annotated[
        bool, Meta(description="the database is away: kept by the broker, and committed later")
    ] = False


class RouteOut(View, frozen=True, kw_only=True):
    """One channel of a notification."""

    channel_type: str
    template_id: str | None
    template_version: int | None

    @classmethod
    def of(cls, route: ChannelRoute) -> Self:
        """Made from what the application returns."""
        return cls(channel_type=route.channel, template_id=route.template, template_version=route.version)


class NotificationOut(View, frozen=True, kw_only=True):
    """One notification and how it stands."""

    id: UUID
    mode: str
    notification_type: str
    klass: str = field(name="class")
    category: str | None
    channel_type: Annotated[str, Meta(description="the first of its channels")]
    routing: Annotated[Literal["all", "first"] | None, Meta(description="null: it has one channel")]
    routes: Annotated[list[RouteOut], Meta(description="its channels in order, where there are several")]
    priority: str
    status: str
    reason: Annotated[
        str | None, Meta(description="why it failed, when it has no deliveries that could say so")
    ]
    template_id: str | None
    template_version: int | None
    metadata: dict[str, Json]
    created_by: str | None
    counts: Counts
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    links: Links

    @classmethod
    def of(cls, row: NotificationView) -> Self:
        """Made from what the application returns."""
        return cls.copy(
            row,
            notification_type=row.type,
            channel_type=row.channel,
            routes=list(map(RouteOut.of, row.routes)),
            links=Links.of(row.id),
        )


class CancelledOut(View, frozen=True, kw_only=True):
    """What a cancel came in time for."""

    cancelled: int
    already_sent: int
    in_flight: int

    @classmethod
    def of(cls, tally: CancelTally) -> Self:
        """Made from what the application returns."""
        return cls.copy(tally)


class SmsOut(View, frozen=True, kw_only=True):
    """How a text message is sent and paid for."""

    text: Annotated[str, Meta(description="typographic characters may be replaced")]
    encoding: Literal["gsm7", "ucs2"]
    segments: int
    foreign: Annotated[str | None, Meta(description="the first character that makes it UCS-2")]


class PreviewedRecipientOut(View, frozen=True, kw_only=True):
    """One recipient's message."""

    recipient_id: str | None
    channel_type: str
    reachable: Annotated[bool, Meta(description="an address is known for the channel")]
    decision: Annotated[
        Literal["send", "wait", "suppress", "fail", "standby"],
        Meta(
            description=(
                "as things stand; suppressed addresses are looked up only when sending. "
                "`standby`: an earlier channel would reach them"
            )
        ),
    ]
    reason: str | None
    subject: str | None
    body: str | None
    html_body: str | None
    parts: Annotated[dict[str, Json], Meta(description="what the channel has beside these")]
    sms: SmsOut | None
    problem: str | None


class PreviewOut(View, frozen=True, kw_only=True):
    """What would happen; nothing was sent or kept."""

    channel_type: str
    priority: str
    template_id: str | None
    template_version: int | None
    routing: Annotated[Literal["all", "first"] | None, Meta(description="null: it has one channel")]
    routes: Annotated[list[RouteOut], Meta(description="its channels in order, where there are several")]
    recipients: Annotated[
        int, Meta(description="distinct users; the first ten are rendered, on each of the channels")
    ]
    rendered: list[PreviewedRecipientOut]

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """Made from what the application returns."""
        rendered = [
            PreviewedRecipientOut.copy(
                one,
                recipient_id=one.user_id,
                channel_type=one.channel,
                sms=SmsOut.copy(one.sms) if one.sms else None,
            )
            for one in preview.rendered
        ]
        return cls.copy(
            preview,
            channel_type=preview.channel,
            routes=list(map(RouteOut.of, preview.routes)),
            rendered=rendered,
        )
