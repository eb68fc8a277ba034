"""Bodies of requests about notification types."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from domain.kernel.channel import NotificationClass, Priority
from domain.notification.routing import CHANNELS_MAX, Routing
from domain.notification_type.notification_type import NotificationType
from entrypoints.http.kit.fields import Channel, Name, SpelledName

NOTIFICATION_TYPE = {
    "push, else a text message": {
        "channels": ["push", "sms"],
        "routing": "first",
        "templates": {"push": "shipped_push", "sms": "shipped_sms"},
        "priority": "high",
        "category": "orders",
    }
}


class NotificationTypeIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """What a request that names this type need not say; what it says itself goes before."""

    channels: Annotated[
        list[Channel],
        Meta(min_length=1, max_length=CHANNELS_MAX, description="in the order in which they are used"),
    ]
    routing: Annotated[
        Literal["all", "first"],
        Meta(description="on each of the channels, or on the first that reaches a recipient"),
    ] = "all"
    templates: Annotated[dict[str, Name], Meta(description="by channel")] = {}
    klass: Literal["otp", "transactional", "marketing"] = field(default="transactional", name="class")
    priority: Literal["critical", "high", "medium", "low"] = "medium"
    category: SpelledName | None = None

    def notification_type(self, id: str) -> NotificationType:  # noqa: A002  its name everywhere
        """The same in the application's terms."""
        return NotificationType(
            id=id,
            klass=NotificationClass(self.klass),
            category=self.category,
            priority=Priority.of(self.priority),
            channels=tuple(self.channels),
            routing=Routing(self.routing),
            templates=self.templates,
        )
