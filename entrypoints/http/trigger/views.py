"""Answers about triggers."""

from datetime import datetime
from typing import Self

import msgspec
from msgspec import field

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
    template_id: str
    channel_type: str | None
    klass: str = field(name="class")
    priority: str
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
            priority=trigger.priority.label,
            to=ToIn(**msgspec.structs.asdict(trigger.to)),
            updated_at=kept.updated_at,
        )
