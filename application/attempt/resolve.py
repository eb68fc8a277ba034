"""Close a call whose outcome nobody knew: somebody has found out, or decides."""

from dataclasses import dataclass
from uuid import UUID

from application.attempt.ports import Resolution, UnknownAttempts
from application.outbox.ports import Handoff
from domain.kernel.channel import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveAttempt:
    """The delivery that rests on it moves on."""

    unknown: UnknownAttempts
    handoff: Handoff

    async def __call__(
        self, delivery: UUID, attempt: int, mode: Mode, resolution: Resolution, *, actor: str
    ) -> None:
        """Resolve.

        Raises:
            NotFound: no such attempt in this mode.
            Conflict: it is resolved already, or its delivery does not rest on it.
            StoreUnavailable: outcome unknown; a second time is a Conflict if the first went through.
        """
        self.handoff.offer(await self.unknown.resolve(delivery, attempt, mode, resolution, actor))
