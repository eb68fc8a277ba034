"""Answers about triggers."""

from datetime import datetime
from typing import Annotated, Self

import msgspec
from msgspec import Meta, field

from application.kernel.versioned import Versioned
from domain.trigger.trigger import Trigger
from entrypoints.http.kit.answers import View
from entrypoints.http.trigger.bodies import ToIn


class TriggerOut(View, frozen=True, kw_only=True):
    """A trigger."""

    id: str
    event: str
    is_enabled: bool
    notification_type: str
    template_id: str | None
    channel_type: str | None
    klass: Annotated[str | None, Meta(description="null: that of the notification type")] = field(
        name="class"
    )
    priority: Annotated[str | None, Meta(description="null: that of the notification type")]
    to: ToIn
    data: str
    key: str
    metadata: dict[str, str]
    updated_at: datetime

    @classmethod
    def of(cls, kept: Versioned[Trigger]) -> Self:
        """Made from what the application returns."""
        trigger = kept.value
        return cls.copy(
            trigger,
            is_enabled=trigger.enabled,
            notification_type=trigger.type,
            template_id=trigger.template,
            channel_type=trigger.channel,
            priority=None if trigger.priority is None else trigger.priority.label,
            to=ToIn(**msgspec.structs.asdict(trigger.to)),
            updated_at=kept.updated_at,
        )
