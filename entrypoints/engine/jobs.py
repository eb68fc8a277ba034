"""The actor that runs jobs: a chunk of each in turn, those of other processes and of the dead, too.

Who makes a job in this process nudges it; else it looks every few seconds, with one small query.
"""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from application.job.advance import AdvanceJob
from application.job.ports import Job, JobChunks
from domain.kernel.errors import Unavailable
from entrypoints.engine.actor import pause
from entrypoints.engine.telemetry import Telemetry

JOBS_MAX = 20
"""Jobs that take turns; others wait until one of them is finished or put off."""
TRIES_MAX = 8
"""Chunks of a job that may fail in a row, while the store answers, before it is given up."""
PAUSE_MIN, PAUSE_MAX = 3.0, 60.0
"""Seconds of the pause of a job whose chunk failed; they double."""


class _PutOff:
    """A job whose last chunks failed, and that pauses."""

    __slots__ = ("failed", "until")

    def __init__(self) -> None:
        self.failed, self.until = 0, 0.0

    def again(self) -> None:
        pause_ = min(PAUSE_MIN * 2**self.failed, PAUSE_MAX)
        self.failed, self.until = self.failed + 1, asyncio.get_running_loop().time() + pause_


@dataclass(slots=True, kw_only=True)
class JobsActor:
    """Implements `Nudge`.  A job that fails is put off, and after some tries given up; the others go on.

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
    _put_off: dict[UUID, _PutOff] = field(default_factory=dict)

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
        """One chunk of each job that is not put off; whether any had one for us."""
        busy, now = False, asyncio.get_running_loop().time()
        waiting = [id_ for id_, each in self._put_off.items() if each.until > now]
        turns = await self.chunks.unfinished(JOBS_MAX, waiting)
        self._put_off = {id_: each for id_, each in self._put_off.items() if id_ in {*waiting, *turns}}
        for id_ in turns:
            if self._stopping:
                return False
            job = await self._chunk(id_)
            busy = busy or job is not None
            if job is not None and job.finished_at is not None:
                self._log(job)
        return busy

    async def _chunk(self, id_: UUID) -> Job | None:
        started = asyncio.get_running_loop().time()
        try:
            job = await self._advanced(id_)
        except Unavailable as away:
            put_off = self._put_off.setdefault(id_, _PutOff())
            put_off.again()
            self.telemetry.trouble("jobs.wait", job=id_, reason=str(away), failed=put_off.failed)
            return None
        self._put_off.pop(id_, None)
        self.telemetry.stage("job_chunk", asyncio.get_running_loop().time() - started)
        return job

    async def _advanced(self, id_: UUID) -> Job | None:
        """As the use case; one that nobody can go on with must not stop the others, and ends."""
        try:
            return await self.advance(id_)
        except Unavailable as away:
            if id_ not in self._put_off or self._put_off[id_].failed < TRIES_MAX:
                raise
            self.telemetry.trouble("job.failed", job=id_, reason=str(away))
            await self.chunks.fail(id_, f"cannot go on: {away}")
        except Exception as bug:  # noqa: BLE001  told, and kept with the job
            self.telemetry.trouble("job.failed", job=id_, exc_info=bug)
            await self.chunks.fail(id_, f"cannot go on: {type(bug).__name__}")
        return None

    def _log(self, job: Job) -> None:
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
