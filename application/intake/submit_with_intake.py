"""Accept notifications from callers that cannot wait: in the database, or on the broker while it is away.

A request whose commit has an unknown outcome, or takes too long, is put on the intake under the same id; a
notification that was committed after all is found then.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from application.intake.outage import StoreOutage
from application.intake.publish import PublishToIntake
from application.kernel import budget
from application.notification.group_commit import GroupCommit
from application.notification.ports import CommitResult
from application.notification.prepare import Prepare, Prepared
from application.notification.submit import Submitted, answer
from domain.kernel.errors import PosthornError, StoreUnavailable
from domain.notification.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitWithIntake:
    """Used by REST.  Events wait on their queues instead (`SubmitNotification`)."""

    prepare: Prepare
    commit: GroupCommit
    publish_to_intake: PublishToIntake
    outage: StoreOutage

    async def __call__(self, request: Request) -> Submitted:
        """Accept one request.

        Raises:
            Invalid, KeyReused, InFlight, Overloaded.
            Unavailable: neither the database nor the broker takes it, or what it needs is not at hand.
        """
        [answered] = await self.many([request])
        if isinstance(answered, PosthornError):
            raise answered
        return answered

    async def many(self, requests: Sequence[Request]) -> list[Submitted | PosthornError]:
        """Accept several, each on its own."""
        answers: dict[int, Submitted | PosthornError] = {}
        waiting: dict[int, tuple[Prepared, asyncio.Future[CommitResult] | None]] = {}
        for n, request in enumerate(requests):
            try:
                prepared = await self.prepare(request)
                asked = self.commit.enqueue(prepared) if self.outage.may_ask() else None
            except PosthornError as refused:
                answers[n] = refused
            else:
                waiting[n] = prepared, asked
        await budget.settled(asked for _, asked in waiting.values() if asked is not None)
        away: dict[int, Prepared] = {}
        for n, (prepared, asked) in waiting.items():
            said = self._result(prepared, asked) if asked is not None else None
            if said is None:
                away[n] = prepared
            else:
                answers[n] = said
        if away:
            answers |= dict(zip(away, await self.publish_to_intake(list(away.values())), strict=True))
        return [answers[n] for n in range(len(requests))]

    def _result(
        self, prepared: Prepared, asked: "asyncio.Future[CommitResult]"
    ) -> Submitted | PosthornError | None:
        """What the database says; None when it is away, or has said nothing in time."""
        if not asked.done():
            self.outage.began()
            return None
        try:
            said: Submitted | PosthornError = answer(asked.result(), prepared)
        except StoreUnavailable:
            self.outage.began()
            return None
        except PosthornError as refused:
            said = refused
        self.outage.ended()
        return said
