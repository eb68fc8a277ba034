"""`posthorn dlq ls` and `posthorn dlq show`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import msgspec

from application.dead_letter.ports import LetterStatus, Selection
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound
from entrypoints.cli.dlq.choosing import Chosen, choosing_options
from entrypoints.cli.shell import Shell, Uuid, embedded_options, json_option, out, pass_shell, run, table
from entrypoints.cli.shell import show as show_json

_STATUSES = click.Choice([status.value for status in LetterStatus])
_HISTORY_MAX = 1_000


@click.command()
@click.option("--letters", "each", is_flag=True, help="List them one by one, newest first, not by cause.")
@click.option("--status", type=_STATUSES, default="open", show_default=True, help="How they stand.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most lines.")
@choosing_options
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
    from entrypoints.http.views.operations import DeadLetterOut, GroupOut

    async def work() -> list[Any]:
        container = lifecycle.built(settings, folder)
        async with lifecycle.opened_database(container, folder):
            wanted = chosen.selection(container.clock().now(), status=LetterStatus(status))
            reader = container.operating.letters()
            if each:
                return [DeadLetterOut.of(row) for row in await reader.page(wanted, None, limit)]
            return [GroupOut.of(row) for row in await reader.groups(wanted, None, limit)]

    found = run(work)
    columns = (
        ("delivery_id", "notification_type", "channel_type", "provider", "attempts", "created_at", "reason")
        if each
        else ("group", "count", "channel_type", "provider", "first_at", "last_at", "reason")
    )
    _told(found, columns, as_json=as_json)


@click.command()
@click.argument("delivery", type=Uuid())
@click.option("--test", is_flag=True, help="Of a test notification.")
@json_option
@embedded_options
@pass_shell
def show(shell: Shell, folder: Path | None, delivery: UUID, test: bool, as_json: bool) -> None:
    """Show what became of one DELIVERY: its dead letters, its calls, its history."""
    settings = shell.load().settings
    from config import lifecycle

    mode = Mode.TEST if test else Mode.LIVE

    async def work() -> dict[str, list[Any]]:
        container = lifecycle.built(settings, folder)
        async with lifecycle.opened_database(container, folder):
            return await _one(container, delivery, mode)

    found = run(work)
    if as_json:
        show_json(found)
        return
    columns = {
        "deadLetters": ("status", "channel_type", "provider", "created_at", "closed_by", "note", "reason"),
        "attempts": ("number", "provider", "outcome", "begun_at", "latency_ms", "reason"),
        "history": ("n", "status", "actor", "at", "reason"),
    }
    for name, rows in found.items():
        _told(rows, columns[name], as_json=False)
        click.echo()


async def _one(container: Any, delivery: UUID, mode: Mode) -> dict[str, list[Any]]:
    from entrypoints.http.views.notifications import AttemptOut, HistoryOut
    from entrypoints.http.views.operations import DeadLetterOut

    reader = container.operating.letters()
    letters = [
        letter
        for status in LetterStatus
        for letter in await reader.page(
            Selection(mode=mode, deliveries=(delivery,), status=status), None, _HISTORY_MAX
        )
    ]
    if not letters:
        raise NotFound(f"delivery {delivery} has no dead letter")
    notification, before = letters[0].notification, UUID(int=delivery.int - 1)
    shown = await container.list_deliveries()(notification, mode, after=before, limit=1)
    history = await container.list_history()(notification, mode, after=(delivery, 0), limit=_HISTORY_MAX)
    return {
        "deadLetters": [DeadLetterOut.of(letter) for letter in sorted(letters, key=lambda one: one.seq)],
        "attempts": [
            AttemptOut.copy(attempt, provider_message_id=attempt.reference)
            for each in shown
            for attempt in each.delivery.attempts
        ],
        "history": [HistoryOut.of(move) for move in history if move.delivery == delivery],
    }


def _told(found: list[msgspec.Struct], columns: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    rows = table(*(column.removesuffix("_type").removesuffix("_at").replace("_", " ") for column in columns))
    for each in found:
        rows.row(*(_cell(getattr(each, column)) for column in columns))
    out().print(rows) if found else click.echo("None.")


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    return "" if value is None else str(value)
