"""Stop a job."""

from dataclasses import dataclass
from uuid import UUID

from application.job.ports import Job, Jobs
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJob:
    """Takes effect between two chunks; what is done stays done."""

    jobs: Jobs

    async def __call__(self, job: UUID, mode: Mode) -> Job:
        """Ask it to stop; again, or when it is finished, is harmless.

        Raises:
            NotFound: no such job in this mode.
        """
        found = await self.jobs.cancel(job, mode)
        if found is None:
            raise NotFound(f"no job {job}")
        return found
