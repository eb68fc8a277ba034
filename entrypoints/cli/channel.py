"""`posthorn channel`: what waits on a channel."""

from pathlib import Path

import click

from application.job.ports import Job
from domain.kernel.channel import Mode
from entrypoints.cli.job import actor, require_completed, run_to_end
from entrypoints.cli.shell import (
    Shell,
    confirm,
    embedded_options,
    json_option,
    pass_shell,
    run,
    show,
    yes_option,
)


@click.group()
def channel() -> None:
    """Channels: what waits on them."""


@channel.command()
@click.argument("channel")
@click.option("--reason", required=True, help="Stands with each delivery; no personal data.")
@click.option("--test", is_flag=True, help="Test deliveries, instead of live ones.")
@click.option("--dry-run", is_flag=True, help="Say how many it would be, and do nothing.")
@yes_option
@json_option
@embedded_options
@pass_shell
def drop(
    shell: Shell,
    folder: Path | None,
    channel: str,
    reason: str,
    test: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Give up what waits on a CHANNEL that is disabled or paused, for good."""
    settings = shell.load().settings
    from config import lifecycle
    from entrypoints.http.job import JobOut

    mode = Mode.TEST if test else Mode.LIVE

    async def work() -> int | Job:
        async with lifecycle.on_database(settings, folder) as container:
            drop = container.channel.drop_backlog()
            count = await drop.count(channel, mode)
            if dry_run:
                return count
            if count:
                confirm(f"Give {_deliveries(count)} up?", yes=yes)
            job = await drop(channel, mode, actor=actor(), reason=reason)
            return await run_to_end(container.job, job, quiet=as_json)

    done = run(work)
    if isinstance(done, int):
        show({"count": done}) if as_json else click.echo(f"{_deliveries(done)}.")
        return
    show(JobOut.of(done)) if as_json else click.echo(f"Gave {_deliveries(done.done)} up.")
    require_completed(done)


def _deliveries(count: int) -> str:
    return f"{count:,} deliver{'y' if count == 1 else 'ies'}"
