"""Jobs that a command starts and then works on itself, until they end."""

import asyncio
import getpass
import sys
from typing import TYPE_CHECKING

import click

from application.job.ports import Job, JobStatus
from domain.kernel.channel import Mode
from domain.kernel.errors import PosthornError
from entrypoints.cli.shell import progress_bars

if TYPE_CHECKING:
    from config.wiring.job import JobRoom

BUSY_WAIT = 0.1
"""Seconds until we look again when another process has the job in hand."""


async def run_to_end(jobs: "JobRoom", job: Job, *, quiet: bool) -> Job:
    """Work on the job until it ends, together with other processes perhaps; Ctrl-C cancels it.

    Args:
        quiet: without a progress bar.
    """
    with progress_bars(quiet=quiet) as progress:
        bar = progress.add_task(job.kind.value.replace("_", " "), total=job.total)
        try:
            while job.finished_at is None:
                job = await jobs.advance()(job.id) or await _wait_for_others(jobs, job)
                progress.update(bar, completed=job.done + job.skipped, total=job.total)
        except asyncio.CancelledError:
            await asyncio.shield(jobs.cancel()(job.id, Mode(job.mode)))
            click.echo(f"Stopping job {job.id}.", file=sys.stderr)
            raise
    return job


def require_completed(job: Job) -> None:
    """A command whose job did not complete fails.

    Raises:
        PosthornError: the job has failed or was cancelled.
    """
    if job.status is not JobStatus.COMPLETED:
        raise PosthornError(f"the job is {job.status}: {job.error or 'somebody has stopped it'}")


def actor() -> str:
    """Who gives this command, for the histories of deliveries."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in many containers
        return "cli"


async def _wait_for_others(jobs: "JobRoom", job: Job) -> Job:
    """Another process holds the next chunk: wait, then return the job as it stands now."""
    await asyncio.sleep(BUSY_WAIT)
    return await jobs.jobs().find(job.id, job.mode) or job
