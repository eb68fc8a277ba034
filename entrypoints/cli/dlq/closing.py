"""`posthorn dlq replay` and `posthorn dlq discard`: jobs, run in this process."""

import asyncio
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from application.job.ports import Job, JobKind, JobStatus
from domain.kernel.errors import PosthornError
from entrypoints.cli.dlq.choosing import Chosen, choosing_options
from entrypoints.cli.leaving import LeaveIt
from entrypoints.cli.shell import (
    Shell,
    Uuid,
    confirm,
    embedded_options,
    json_option,
    pass_shell,
    progress_bars,
    run,
    yes_option,
)
from entrypoints.cli.shell import show as show_json

BUSY_WAIT = 0.1
"""Seconds until we look again when another process has the job in hand."""

_ids = click.argument("deliveries", nargs=-1, type=Uuid())
_all = click.option("--all", "everything", is_flag=True, help="Every open one.")
_dry_run = click.option("--dry-run", is_flag=True, help="Say how many it would be, and do nothing.")


@click.command()
@_ids
@choosing_options
@_all
@_dry_run
@yes_option
@json_option
@embedded_options
@pass_shell
def replay(shell: Shell, **options: Any) -> None:
    """Send dead letters again, by their DELIVERIES' ids, by --group, by --since or another filter.

    Each begins anew, with retries and a deadline of its own.  The processes that run send them.
    """
    _close(shell, JobKind.REPLAY, "Send {letters} again?", "Sent {done:,} again", **options)


@click.command()
@_ids
@choosing_options
@_all
@click.option("--reason", "note", required=True, help="For who looks at them later; no personal data.")
@_dry_run
@yes_option
@json_option
@embedded_options
@pass_shell
def discard(shell: Shell, **options: Any) -> None:
    """Put dead letters aside: their deliveries stay failed."""
    _close(shell, JobKind.DISCARD, "Put {letters} aside?", "Put {done:,} aside", **options)


def _close(
    shell: Shell,
    kind: JobKind,
    question: str,
    answer: str,
    *,
    folder: Path | None,
    deliveries: Sequence[UUID],
    chosen: Chosen,
    everything: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    note: str | None = None,
) -> None:
    if everything == bool(deliveries or not chosen.is_nothing):
        raise click.UsageError("say which: ids, --group, --since or another filter, or else --all")
    settings = shell.load().settings
    from config import lifecycle
    from entrypoints.http.views.operations import JobOut

    async def work() -> int | Job:
        container = lifecycle.built(settings, folder)
        container.handoff.override(LeaveIt())
        container.operating.nudge.override(LeaveIt())
        async with lifecycle.opened_database(container, folder):
            selection = chosen.selection(container.clock().now(), deliveries)
            count = await container.operating.letters().count(selection)
            if dry_run:
                return count
            if count:
                confirm(question.format(letters=_letters(count)), yes=yes)
            job = await container.operating.start_job()(kind, selection, actor=actor(), note=note)
            return await watched(container.operating, job, quiet=as_json)

    done = run(work)
    if isinstance(done, int):
        show_json({"count": done}) if as_json else click.echo(f"{_letters(done)}.")
        return
    if as_json:
        show_json(JobOut.of(done))
    else:
        skipped = f", {done.skipped:,} skipped" if done.skipped else ""
        click.echo(f"{answer.format(done=done.done)}{skipped}.")
    if done.status is not JobStatus.COMPLETED:
        raise PosthornError(f"the job is {done.status}: {done.error or 'somebody has stopped it'}")


async def watched(operating: Any, job: Job, *, quiet: bool) -> Job:
    """Run the job to its end, with others perhaps; Ctrl-C stops it."""
    with progress_bars(quiet=quiet) as progress:
        bar = progress.add_task(job.kind.value.replace("_", " "), total=job.total)
        try:
            while job.finished_at is None:
                job = await operating.advance_job()(job.id) or await _elsewhere(operating, job)
                progress.update(bar, completed=job.done + job.skipped, total=job.total)
        except asyncio.CancelledError:
            await asyncio.shield(operating.cancel_job()(job.id, job.mode))
            click.echo(f"Stopping job {job.id}.", file=sys.stderr)
            raise
    return job


async def _elsewhere(operating: Any, job: Job) -> Job:
    """Another process is at it: look how far it has come."""
    await asyncio.sleep(BUSY_WAIT)
    return await operating.jobs().find(job.id, job.mode) or job


def _letters(count: int) -> str:
    return f"{count:,} dead letter{'s' * (count != 1)}"


def actor() -> str:
    """Who does this, for histories."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in many containers
        return "cli"
