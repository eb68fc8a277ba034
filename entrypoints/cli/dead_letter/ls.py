"""`posthorn dlq ls`."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from application.dead_letter.ports import DeadLetterStatus
from entrypoints.cli.dead_letter.rows import print_rows
from entrypoints.cli.dead_letter.selection import Chosen, selection_options
from entrypoints.cli.shell import Shell, embedded_options, json_option, pass_shell, run, show

_STATUSES = click.Choice([status.value for status in DeadLetterStatus])


@click.command()
@click.option("--letters", "each", is_flag=True, help="List them one by one, newest first, not by cause.")
@click.option("--status", type=_STATUSES, default="open", show_default=True, help="How they stand.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most lines.")
@selection_options
@json_option
@embedded_options
@pass_shell
def ls(
    shell: Shell,
    folder: Path | None,
    chosen: Chosen,
    each: bool,
    status: str,
    limit: int,
    as_json: bool,
) -> None:
    """Count dead letters by cause, the most frequent first, or list them."""
    settings = shell.load().settings
    from config import lifecycle
    from entrypoints.http.dead_letter.views import DeadLetterOut, GroupOut

    async def work() -> Sequence[msgspec.Struct]:
        async with lifecycle.on_database(settings, folder) as container:
            wanted = chosen.selection(container.kernel.clock().now(), status=DeadLetterStatus(status))
            reader = container.dead_letter.reader()
            if each:
                return [DeadLetterOut.of(row) for row in await reader.page(wanted, None, limit)]
            return [GroupOut.of(row) for row in await reader.groups(wanted, None, limit)]

    found = run(work)
    if as_json:
        show(found)
        return
    columns = (
        ("delivery_id", "notification_type", "channel_type", "provider", "attempts", "created_at", "reason")
        if each
        else ("group", "count", "channel_type", "provider", "first_at", "last_at", "reason")
    )
    print_rows(found, columns)
