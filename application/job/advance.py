"""One chunk of a job: dead letters closed, and what is sent again handed to the relay."""

from dataclasses import dataclass
from uuid import UUID

from application.job.ports import Job, JobChunks
from application.outbox.ports import Handoff

CHUNK = 500
"""Dead letters of one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceJob:
    """Runs in any process: whoever dies in the middle has done nothing."""

    chunks: JobChunks
    handoff: Handoff
    size: int = CHUNK

    async def __call__(self, job: UUID) -> Job | None:
        """How the job stands after it; None when somebody else has it in hand, or it is finished.

        Raises:
            StoreUnavailable: outcome unknown; again goes on from wherever it stands.
        """
        step = await self.chunks.advance(job, self.size)
        if step is None:
            return None
        self.handoff.offer(step.messages)
        return step.job
