"""Answers about dead letters."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from application.dead_letter.ports import DeadLetter, DeadLetterStatus, Group
from entrypoints.http.kit.answers import View

_GROUP = Meta(description="names the dead letters of the same channel, provider and cause")


class DeadLetterOut(View, frozen=True, kw_only=True):
    """One delivery that was given up."""

    delivery_id: UUID
    notification_id: UUID
    notification_type: str
    channel_type: str
    priority: str
    provider: str | None
    status: DeadLetterStatus
    reason: Annotated[str, Meta(description="why it was given up; may quote the provider")]
    group: Annotated[str, _GROUP]
    attempts: Annotated[int, Meta(description="calls since it was accepted, or sent again")]
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: Annotated[str | None, Meta(description="why it was discarded")]

    @classmethod
    def of(cls, row: DeadLetter) -> Self:
        """Made from what the application returns."""
        return cls.copy(
            row,
            delivery_id=row.delivery,
            notification_id=row.notification,
            notification_type=row.type,
            channel_type=row.channel,
            group=row.fingerprint,
        )


class GroupOut(View, frozen=True, kw_only=True):
    """Dead letters of one cause."""

    group: Annotated[str, _GROUP]
    channel_type: str
    provider: str | None
    reason: Annotated[str, Meta(description="of the newest of them")]
    count: int
    first_at: datetime
    last_at: datetime

    @classmethod
    def of(cls, row: Group) -> Self:
        """Made from what the application returns."""
        return cls.copy(row, group=row.fingerprint, channel_type=row.channel)
