"""Accept notifications: check, then commit with others; no answer before the commit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.notification.group_commit import GroupCommit
from application.notification.prepare import Prepare
from application.ports.acceptance import Verdict, Won
from domain.kernel.errors import KeyReused, PosthornError
from domain.notification.request import Request


class Submitted(msgspec.Struct, frozen=True):
    """Accepted: now, or (`replayed`) by an earlier command with the same key and content."""

    id: UUID
    replayed: bool
    degraded: bool = False
    """Promised on the broker; not in the database yet."""


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
        prepared = await self.prepare(request)
        return answer(await self.commit.put(prepared))

    async def many(self, requests: Sequence[Request]) -> list[Submitted | PosthornError]:
        """Accept several, each on its own: a bad one does not spoil its neighbours."""
        waiting: list[asyncio.Future[Verdict] | PosthornError] = []
        for request in requests:
            try:
                waiting.append(self.commit.enqueue(await self.prepare(request)))
            except PosthornError as refused:
                waiting.append(refused)
        answers: list[Submitted | PosthornError] = []
        for each in waiting:
            try:
                answers.append(
                    each if isinstance(each, PosthornError) else answer(await asyncio.shield(each))
                )
            except PosthornError as refused:
                answers.append(refused)
        return answers


def answer(verdict: Verdict) -> Submitted:
    """The answer that follows from a verdict.

    Raises:
        KeyReused.
    """
    if isinstance(verdict, Won):
        return Submitted(verdict.notification, replayed=False)
    if not verdict.same:
        raise KeyReused(f"the idempotency key belongs to notification {verdict.notification}")
    return Submitted(verdict.notification, replayed=True)
