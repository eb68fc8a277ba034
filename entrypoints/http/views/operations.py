"""Answers about dead letters, jobs and calls without an answer."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, field

from application.attempt.ports import Resolution, UnknownAttempt
from application.dead_letter.ports import DeadLetter, Group, LetterStatus
from application.job.ports import Job, JobKind, JobStatus
from entrypoints.http.views.view import View

_GROUP = Meta(description="names the dead letters of the same channel, provider and cause")


class DeadLetterOut(View):
    """One delivery that was given up."""

    delivery_id: UUID
    notification_id: UUID
    notification_type: str
    channel_type: str
    priority: str
    provider: str | None
    status: LetterStatus
    reason: Annotated[str, Meta(description="why it was given up; may quote the provider")]
    group: Annotated[str, _GROUP]
    attempts: Annotated[int, Meta(description="calls since it was accepted, or sent again")]
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: Annotated[str | None, Meta(description="why it was discarded")]

    @classmethod
    def of(cls, row: DeadLetter) -> Self:
        """As it is shown."""
        return cls.copy(
            row,
            delivery_id=row.delivery,
            notification_id=row.notification,
            notification_type=row.type,
            channel_type=row.channel,
            group=row.fingerprint,
        )


class GroupOut(View):
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
        """As it is shown."""
        return cls.copy(row, group=row.fingerprint, channel_type=row.channel)


class CountOut(View):
    """What would be concerned; nothing was done."""

    count: int


class JobLinks(View):
    """Where to go from a job."""

    self_: str = field(name="self")
    cancel: str


class JobOut(View):
    """A long action, and how far it has come."""

    id: UUID
    kind: JobKind
    status: JobStatus
    total: Annotated[int, Meta(description="dead letters, or deliveries that waited, when it was made")]
    done: int
    skipped: Annotated[
        int, Meta(description="closed by somebody else meanwhile, or of a cancelled notification")
    ]
    actor: Annotated[str, Meta(description="who wants it", examples=["key:shop"])]
    note: str | None
    error: str | None
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    finished_at: datetime | None
    links: JobLinks

    @classmethod
    def of(cls, row: Job) -> Self:
        """As it is shown."""
        at = f"/api/jobs/{row.id}"
        return cls.copy(row, links=JobLinks(self_=at, cancel=f"{at}/cancel"))


class UnknownAttemptOut(View):
    """A call to a provider without an answer: it may have gone out."""

    id: Annotated[str, Meta(examples=["0198f7a0-0000-7000-8000-000000000000.1"])]
    delivery_id: UUID
    number: int
    notification_id: UUID
    notification_type: str
    klass: str = field(name="class")
    channel_type: str
    provider: str | None
    reason: str
    delivery_status: Annotated[str, Meta(description="of the delivery now")]
    held: Annotated[bool, Meta(description="the delivery rests until somebody resolves this")]
    created_at: datetime
    resolution: Annotated[
        str | None, Meta(description="sent, failed, resend or cancelled; null: nobody knows yet")
    ]
    resolved_at: datetime | None
    resolved_by: Annotated[str | None, Meta(description="null: by the policy of its class")]

    @classmethod
    def of(cls, row: UnknownAttempt) -> Self:
        """As it is shown."""
        return cls.copy(
            row,
            id=f"{row.delivery}.{row.attempt}",
            delivery_id=row.delivery,
            number=row.attempt,
            notification_id=row.notification,
            notification_type=row.type,
            channel_type=row.channel,
            delivery_status=row.status,
        )


class ResolvedOut(View):
    """What was made of a call without an answer."""

    id: str
    resolution: Resolution
    resolved_by: str
