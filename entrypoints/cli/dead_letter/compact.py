"""`posthorn dlq compact`."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import click

from application.dead_letter.compact_queue import Compacted
from domain.kernel.channel import Lane, lanes
from entrypoints.cli.shell import (
    Shell,
    channels_there_are,
    confirm,
    json_option,
    out,
    pass_shell,
    progress_bars,
    run,
    show,
    table,
    yes_option,
)

_COLUMNS = ("queue", "messages", "kept", "stale", "unreadable", "removed")


@click.command()
@click.argument("queues", nargs=-1)
@click.option("--unreadable", is_flag=True, help="Remove, too, what nobody can read.")
@click.option("--dry-run", is_flag=True, help="Count, and remove nothing.")
@yes_option
@json_option
@pass_shell
def compact(
    shell: Shell, queues: Sequence[str], unreadable: bool, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Remove stale messages from the lanes' dead QUEUES (deliver.email.high.dlq), or from all of them.

    When a dead letter is sent again or put aside its message stays there: it means nothing any more, and is
    only in the way of who looks.  Each message is looked at once; what is needed stays in its place.
    """
    settings = shell.load().settings
    names = list(map(_dead, queues)) or [lane.dead for lane in lanes(channels_there_are(settings))]
    if not dry_run:
        also = " and all unreadable ones" if unreadable else ""
        confirm(f"Remove the stale messages{also} from {len(names)} dead queues?", yes=yes)
    from config import lifecycle

    async def work() -> list[Compacted]:
        async with (
            lifecycle.on_database(settings) as container,
            lifecycle.opened_consuming(container),
        ):
            go = container.dead_letter.compact_queue()
            return await _through(names, lambda name: go(name, remove=not dry_run, unreadable=unreadable))

    found = run(work)
    if as_json:
        show([{name: getattr(one, name) for name in _COLUMNS} for one in found])
        return
    rows = table(*_COLUMNS)
    for one in found:
        if one.messages:
            rows.row(*(getattr(one, name) for name in _COLUMNS))
    out().print(rows)
    verb, count = ("Stale", "stale") if dry_run else ("Removed", "removed")
    concerned, seen = sum(getattr(one, count) for one in found), sum(one.seen for one in found)
    click.echo(f"{verb}: {concerned:,} of {seen:,}.")


async def _through(
    names: Sequence[str],
    go: Callable[[str], Any],  # an async generator, which can be closed; its type is AsyncIterator
) -> list[Compacted]:
    """Compact one queue after the other, with a progress bar for each; returns what was seen."""
    found: list[Compacted] = []
    with progress_bars() as progress:
        for name in names:
            bar = progress.add_task(name, total=None)
            async with aclosing(go(name)) as tallies:
                async for tally in tallies:
                    progress.update(bar, completed=tally.seen, total=tally.messages)
            found.append(tally)
    return found


def _dead(name: str) -> str:
    """Refuse anything but a lane's dead queue: what stands in others is not judged by its letter."""
    try:
        if Lane.parse(name.removesuffix(".dlq")).dead == name:
            return name
    except ValueError:
        pass
    raise click.BadParameter(
        f"{name!r} is not a dead queue such as deliver.email.high.dlq", param_hint="QUEUES"
    )
