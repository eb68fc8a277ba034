"""Repeats the gate for calls that could not start within a second of it; concurrent ones share one read.

Preparing a message or waiting for a connection may take long.  That must not fail the delivery, and must not
lead to a call on old facts.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from application.delivery.committed import CommittedCall
from application.delivery.policy import policy_of
from application.delivery.ports import ClearanceFacts, Clearances
from application.kernel.ports import Clock
from application.kernel.supervision import start
from domain.delivery.gate import Cleared, Facts, check
from domain.delivery.policy import RetryPolicy
from domain.kernel.channel import NotificationClass

_Waiting = tuple[CommittedCall, "asyncio.Future[float | None]"]


@dataclass(slots=True, kw_only=True)
class ClearAgain:
    """Calls that arrive during one read share the next one."""

    clearances: Clearances
    policies: Mapping[NotificationClass, RetryPolicy]
    clock: Clock
    _waiting: list[_Waiting] = field(default_factory=list)
    _asking: "asyncio.Task[None] | None" = None
    _asks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def __call__(self, call: CommittedCall) -> float | None:
        """Monotonic seconds just before the facts were read on which it is clear; None: it is not any more.

        Raises:
            StoreUnavailable: the facts cannot be read.
        """
        answer: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, answer))
        if self._asking is None or self._asking.done():
            self._asking = start("clear", self._ask(), among=self._asks)
        return await answer

    async def _ask(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                cleared = await self._clear([call for call, _ in batch])
            except Exception as fault:  # noqa: BLE001  it is the answer of each
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(fault)
                continue
            for call, answer in batch:
                if not answer.done():
                    answer.set_result(cleared.get(_name(call)))

    async def _clear(self, calls: Sequence[CommittedCall]) -> dict[tuple[UUID, int], float]:
        asked = self.clock.monotonic()
        by_id = {_name(call): call for call in calls}
        standing = await self.clearances.clear(list(by_id))
        found = [(each.delivery, each.attempt) for each in standing if self._is_clear(by_id, each)]
        return dict.fromkeys(found, asked)

    def _is_clear(self, calls: Mapping[tuple[UUID, int], CommittedCall], stands: ClearanceFacts) -> bool:
        """By the gate, and by what may have changed since it let the call through."""
        call = calls[stands.delivery, stands.attempt]
        facts = Facts(
            accepted_at=call.leased.accepted_at,
            attempts_counted=call.leased.attempts_counted,
            interrupted=False,  # what followed from that was decided when it was begun
            cancelled=stands.cancelled,
            suppressed=stands.suppressed,
            channel_enabled=stands.channel_enabled,
            channel_paused=stands.channel_paused,
            erased=stands.erased,
            address=call.address,
        )
        return isinstance(
            check(facts, policy_of(call.leased, self.policies), now=stands.read_at, chance=0.0), Cleared
        )


def _name(call: CommittedCall) -> tuple[UUID, int]:
    return call.leased.id, call.leased.attempt
