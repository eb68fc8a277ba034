"""Bodies of requests about triggers."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from domain.kernel.channel import NotificationClass, Priority
from domain.notification.request import DEFAULT_CLASS, DEFAULT_PRIORITY
from domain.trigger.trigger import To, Trigger
from entrypoints.http.kit.fields import Channel, Id, SpelledName, Text

TRIGGER = {
    "order confirmation": {
        "event": "order.created",
        "notificationType": "order_confirmation",
        "templateId": "order_confirmation_email",
        "priority": "high",
        "to": {"userId": "data.userId", "email": "data.email"},
        "key": "order:{data.orderId}:confirmed",
        "metadata": {"orderId": "data.orderId"},
    }
}
Path = Annotated[str, Meta(min_length=1, max_length=255, examples=["data.userId"])]


class ToIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """Where in the event the recipient stands: each a path."""

    user_id: Path | None = None
    email: Path | None = None
    phone: Path | None = None
    name: Path | None = None
    locale: Path | None = None
    timezone: Path | None = None


class TriggerIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """This event makes this notification."""

    event: Annotated[SpelledName, Meta(description="type of the shop's event", examples=["order.created"])]
    is_enabled: bool = True
    notification_type: SpelledName
    template_id: (
        Annotated[Id, Meta(description="without it, those of the registered notification type")] | None
    ) = None
    channel_type: Annotated[Channel, Meta(description="without it, the template's channel")] | None = None
    klass: (
        Annotated[
            Literal["otp", "transactional", "marketing"],
            Meta(description="without it transactional, or without templateId that of the type"),
        ]
        | None
    ) = field(default=None, name="class")
    priority: (
        Annotated[
            Literal["critical", "high", "medium", "low"],
            Meta(description="without it medium, or without templateId that of the type"),
        ]
        | None
    ) = None
    to: ToIn = ToIn(user_id="data.userId")
    data: Annotated[Path, Meta(description="path of the object that fills the template")] = "data"
    key: Annotated[
        Text,
        Meta(
            description="idempotency key below `trigger:<id>:`, with paths in braces; kept for 90 days",
            examples=["order:{data.orderId}:confirmed"],
        ),
    ] = "{source}:{id}"
    metadata: Annotated[dict[str, Path], Meta(description="label → path")] = {}

    def trigger(self, id: str) -> Trigger:  # noqa: A002  its name everywhere
        """The same in the application's terms."""
        # Without a template the registered type has its say.
        klass, priority = (None, None) if self.template_id is None else (DEFAULT_CLASS, DEFAULT_PRIORITY)
        return Trigger(
            id=id,
            event=self.event,
            enabled=self.is_enabled,
            type=self.notification_type,
            template=self.template_id,
            channel=self.channel_type,
            klass=NotificationClass(self.klass) if self.klass else klass,
            priority=Priority.of(self.priority) if self.priority else priority,
            to=To(**msgspec.structs.asdict(self.to)),
            data=self.data,
            key=self.key,
            metadata=self.metadata,
        )


TRIGGER_NAMES = {
    "/template": "/templateId",
    "/channel": "/channelType",
    "/type": "/notificationType",
    "/to/user_id": "/to/userId",
}
"""From pointers of the domain's names to pointers into this body."""
