"""`posthorn dlq replay` and `posthorn dlq discard`: jobs that close dead letters, run in this process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from application.job.ports import Job, JobKind
from entrypoints.cli.dead_letter.selection import Chosen, selection_options
from entrypoints.cli.job import actor, require_completed, run_to_end
from entrypoints.cli.shell import (
    Shell,
    Uuid,
    confirm,
    embedded_options,
    json_option,
    pass_shell,
    run,
    yes_option,
)
from entrypoints.cli.shell import show as show_json

_ids = click.argument("deliveries", nargs=-1, type=Uuid())
_all = click.option("--all", "everything", is_flag=True, help="Every open one.")
_dry_run = click.option("--dry-run", is_flag=True, help="Say how many it would be, and do nothing.")


@click.command()
@_ids
@selection_options
@_all
@_dry_run
@yes_option
@json_option
@embedded_options
@pass_shell
def replay(shell: Shell, /, **options: Any) -> None:  # click hands options over by name
    """Send dead letters again, by their DELIVERIES' ids, by --group, by --since or another filter.

    Each begins anew, with retries and a deadline of its own.  The processes that run send them.
    """
    _close(shell, JobKind.REPLAY, "Send {dead_letters} again?", "Sent {done:,} again", **options)


@click.command()
@_ids
@selection_options
@_all
@click.option("--reason", "note", required=True, help="For who looks at them later; no personal data.")
@_dry_run
@yes_option
@json_option
@embedded_options
@pass_shell
def discard(shell: Shell, /, **options: Any) -> None:  # click hands options over by name
    """Put dead letters aside: their deliveries stay failed."""
    _close(shell, JobKind.DISCARD, "Put {dead_letters} aside?", "Put {done:,} aside", **options)


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
    from entrypoints.http.job import JobOut

    async def work() -> int | Job:
        async with lifecycle.on_database(settings, folder) as container:
            selection = chosen.selection(container.kernel.clock().now(), deliveries)
            count: int = await container.dead_letter.reader().count(selection)
            if dry_run:
                return count
            if count:
                confirm(question.format(dead_letters=_dead_letters(count)), yes=yes)
            job = await container.job.start()(kind, selection, actor=actor(), note=note)
            return await run_to_end(container.job, job, quiet=as_json)

    done = run(work)
    if isinstance(done, int):
        show_json({"count": done}) if as_json else click.echo(f"{_dead_letters(done)}.")
        return
    if as_json:
        show_json(JobOut.of(done))
    else:
        skipped = f", {done.skipped:,} skipped" if done.skipped else ""
        click.echo(f"{answer.format(done=done.done)}{skipped}.")
    require_completed(done)


def _dead_letters(count: int) -> str:
    return f"{count:,} dead letter{'s' * (count != 1)}"
