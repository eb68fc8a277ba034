"""Jobs: an operator's long action is a row, and is done in chunks by whoever comes, until it is through."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from application.dead_letter.ports import Selection
from application.outbox.ports import OutboxMessage


class JobKind(StrEnum):
    """What is done to the dead letters that were chosen, or to what waits on a channel."""

    REPLAY = "dead_letters_replay"
    DISCARD = "dead_letters_discard"
    DROP = "channel_drop"
    """The deliveries of the selection's channel that wait are suppressed; of the rest of it only the mode
    counts."""


class JobStatus(StrEnum):
    """The status of a job."""

    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants done to all that `selection` chooses when the job is made."""

    id: UUID
    kind: JobKind
    selection: Selection
    actor: str
    note: str | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job, and how far it has come."""

    id: UUID
    kind: JobKind
    mode: str
    actor: str
    note: str | None
    total: int
    """Dead letters, or waiting deliveries, chosen; a few more when others died in the same instant."""
    done: int
    skipped: int
    """Closed by somebody else meanwhile, or not to be sent again: their notification was cancelled."""
    error: str | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    cancelled_at: datetime | None
    """When somebody asked to stop."""

    @property
    def status(self) -> JobStatus:
        """Follows from the times and the error."""
        if self.finished_at is None:
            return JobStatus.RUNNING if self.cancelled_at is None else JobStatus.CANCELLING
        if self.error is not None:
            return JobStatus.FAILED
        return JobStatus.COMPLETED if self.cancelled_at is None else JobStatus.CANCELLED


class Step(msgspec.Struct, frozen=True):
    """One chunk, committed."""

    job: Job
    messages: list[OutboxMessage]


class Jobs(Protocol):
    """Creates, reads and cancels jobs.  Held to tests/contract/jobs.py."""

    async def create(self, new: NewJob) -> Job:
        """Count what is chosen and keep the job.

        Raises:
            StoreUnavailable: outcome unknown; a second job finds what the first one left.
        """
        ...

    async def find(self, job: UUID, mode: str) -> Job | None:
        """One of this mode."""
        ...

    async def page(self, mode: str, before: UUID | None, limit: int) -> list[Job]:
        """Newest first, behind `before`."""
        ...

    async def cancel(self, job: UUID, mode: str) -> Job | None:
        """Stop after the chunk in hand; what is finished stays as it is.  None: no such job of this mode."""
        ...


class JobChunks(Protocol):
    """Works on jobs.  Held to the same contract."""

    async def unfinished(self, limit: int, resting: Collection[UUID] = ()) -> list[UUID]:
        """Jobs that are to be gone on with, oldest first; without those that rest."""
        ...

    async def advance(self, job: UUID, limit: int) -> Step | None:
        """Do up to `limit` of a job: the dead letters and how far it has come, in one transaction.

        None: somebody else has it in hand, or it is finished.

        Raises:
            StoreUnavailable: outcome unknown; again goes on from wherever it stands.
        """
        ...

    async def fail(self, job: UUID, error: str) -> None:
        """End it; `error` is shown."""
        ...


class ChannelBacklog(Protocol):
    """Counts the deliveries that wait on a channel.  Held to the same contract."""

    async def count(self, channel: str, mode: str) -> int:
        """Deliveries that wait to be sent: looked for among all of the last weeks, so not in a moment."""
        ...


class Nudge(Protocol):
    """Wakes the runner of jobs in the same process."""

    def nudge(self) -> None:
        """Let the runner look for jobs now; returns at once."""
        ...
