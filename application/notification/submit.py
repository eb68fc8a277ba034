"""Accept notifications: check, then commit with others; no answer before the commit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.kernel import budget
from application.notification.group_commit import GroupCommit
from application.notification.ports import CommitResult, Created
from application.notification.prepare import Prepare, Prepared
from domain.kernel.errors import Fault, KeyReused, PosthornError, StoreUnavailable
from domain.notification.request import Request


class Submitted(msgspec.Struct, frozen=True):
    """Accepted: now, or (`replayed`) by an earlier command with the same key and content."""

    id: UUID
    replayed: bool
    degraded: bool = False
    """On the intake; not in the database yet."""
    kept_out: tuple[Fault, ...] = ()
    """Values of the recipients that it was accepted without (requests with `drop_invalid`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitNotification:
    """Commits, or says why not: for who can come again, such as the consumer of events."""

    prepare: Prepare
    commit: GroupCommit

    async def __call__(self, request: Request) -> Submitted:
        """Accept one request.

        Raises:
            Invalid, KeyReused, InFlight, Overloaded, StoreUnavailable.
        """
        [answered] = await self.many([request])
        if isinstance(answered, PosthornError):
            raise answered
        return answered

    async def many(self, requests: Sequence[Request]) -> list[Submitted | PosthornError]:
        """Accept several, each on its own: a bad one does not spoil its neighbours."""
        waiting: list[tuple[Prepared, asyncio.Future[CommitResult]] | PosthornError] = []
        for request in requests:
            try:
                prepared = await self.prepare(request)
                waiting.append((prepared, self.commit.enqueue(prepared)))
            except PosthornError as refused:
                waiting.append(refused)
        await budget.settled(each[1] for each in waiting if not isinstance(each, PosthornError))
        return [each if isinstance(each, PosthornError) else _answered(*each) for each in waiting]


def _answered(prepared: Prepared, asked: "asyncio.Future[CommitResult]") -> Submitted | PosthornError:
    if not asked.done():
        return StoreUnavailable("no commit in the time that a request has: ask again with the same key")
    try:
        return answer(asked.result(), prepared)
    except PosthornError as refused:
        return refused


def answer(result: CommitResult, prepared: Prepared) -> Submitted:
    """The answer that follows from a result.

    Raises:
        KeyReused.
    """
    if isinstance(result, Created):
        return Submitted(result.notification, replayed=False, kept_out=prepared.kept_out)
    if result.fingerprint not in prepared.fingerprints:
        raise KeyReused(f"the idempotency key belongs to notification {result.notification}")
    return Submitted(result.notification, replayed=True, kept_out=prepared.kept_out)
