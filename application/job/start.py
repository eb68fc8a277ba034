"""Send dead letters again or put them aside, as many as there are: a job, done in chunks."""

from dataclasses import dataclass

from application.dead_letter.ports import Selection
from application.job.ports import Job, JobKind, Jobs, NewJob, Nudge
from application.kernel.ports import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    """The runner of this process begins at once; if it dies, another goes on."""

    jobs: Jobs
    nudge: Nudge
    ids: Ids

    async def __call__(
        self, kind: JobKind, selection: Selection, *, actor: str, note: str | None = None
    ) -> Job:
        """Keep the job, with what it chooses counted.

        Args:
            actor: who wants it: stands in the history of each delivery.
            note: why, for who looks at a discarded dead letter.

        Raises:
            StoreUnavailable: it may have begun nevertheless.
        """
        new = NewJob(id=self.ids.next(), kind=kind, selection=selection, actor=actor, note=note)
        job = await self.jobs.create(new)
        self.nudge.nudge()
        return job
