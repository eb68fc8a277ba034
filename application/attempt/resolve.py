"""Resolve a call with an unknown outcome: an operator knows what happened, or decides."""

from dataclasses import dataclass
from uuid import UUID

from application.attempt.ports import Resolution, UnknownAttempts
from application.outbox.ports import Handoff
from domain.kernel.channel import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveAttempt:
    """The delivery that is held for it continues."""

    unknown: UnknownAttempts
    handoff: Handoff

    async def __call__(
        self, delivery: UUID, attempt: int, mode: Mode, resolution: Resolution, *, actor: str
    ) -> None:
        """Resolve.

        Raises:
            NotFound: no such attempt in this mode.
            Conflict: it is resolved already, or its delivery is not held for it.
            StoreUnavailable: outcome unknown; a second time is a Conflict if the first went through.
        """
        self.handoff.offer(await self.unknown.resolve(delivery, attempt, mode, resolution, actor))
