"""Answers about notification types."""

from datetime import datetime
from typing import Literal, Self

from msgspec import field

from application.kernel.versioned import Versioned
from domain.notification_type.notification_type import NotificationType
from entrypoints.http.kit.answers import View


class NotificationTypeOut(View, frozen=True, kw_only=True):
    """A registered type."""

    id: str
    channels: list[str]
    routing: Literal["all", "first"]
    templates: dict[str, str]
    klass: str = field(name="class")
    priority: str
    category: str | None
    updated_at: datetime

    @classmethod
    def of(cls, kept: Versioned[NotificationType]) -> Self:
        """Made from what the application returns."""
        kind = kept.value
        return cls.copy(
            kind, channels=list(kind.channels), priority=kind.priority.label, updated_at=kept.updated_at
        )
