"""The actor that runs jobs: a chunk of each in turn, those of other processes and of the dead, too.

Who makes a job in this process nudges it; else it looks every few seconds, with one small query.
"""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from application.operations.advance_job import AdvanceJob
from application.ports.jobs import Job, JobChunks
from domain.kernel.errors import Unavailable
from entrypoints.actors.actor import Telemetry, pause

JOBS_MAX = 20
"""Jobs that take turns; others wait until one of them is finished."""


@dataclass(slots=True, kw_only=True)
class JobsActor:
    """Implements `Nudge`.

    Args:
        every: seconds between two looks when there is nothing to do.
    """

    advance: AdvanceJob
    chunks: JobChunks
    telemetry: Telemetry
    every: float = 3.0
    name: str = "jobs"
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    def nudge(self) -> None:
        """See `Nudge`."""
        self._news.set()

    def stop(self) -> None:
        """Finish the chunk in hand; whoever runs next goes on."""
        self._stopping = True
        self._news.set()

    async def run(self) -> None:
        """Until stopped."""
        while not self._stopping:
            self._news.clear()
            try:
                busy = await self._round()
            except Unavailable as away:
                self.telemetry.trouble("jobs.wait", reason=str(away))
                busy = False
            if not busy and not self._stopping:
                await pause(self.every, self._news)

    async def _round(self) -> bool:
        """One chunk of each job; whether any had one for us."""
        busy = False
        for id_ in await self.chunks.unfinished(JOBS_MAX):
            if self._stopping:
                return False
            job = await self._chunk(id_)
            busy = busy or job is not None
            if job is not None and job.finished_at is not None:
                self._told(job)
        return busy

    async def _chunk(self, id_: UUID) -> Job | None:
        started = asyncio.get_running_loop().time()
        try:
            job = await self.advance(id_)
        except Unavailable:
            raise
        except Exception as bug:  # noqa: BLE001  a job that nobody can go on with must not stop the others
            self.telemetry.trouble("job.failed", job=id_, exc_info=bug)
            await self.chunks.fail(id_, f"cannot go on: {type(bug).__name__}")
            return None
        self.telemetry.stage("job_chunk", asyncio.get_running_loop().time() - started)
        return job

    def _told(self, job: Job) -> None:
        self.telemetry.wide(
            "job.finished",
            job=job.id,
            kind=job.kind,
            mode=job.mode,
            status=job.status,
            total=job.total,
            done=job.done,
            skipped=job.skipped,
            seconds=(job.updated_at - job.created_at).total_seconds(),
        )
