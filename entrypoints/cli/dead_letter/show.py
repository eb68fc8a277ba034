"""`posthorn dlq show`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click
import msgspec

from application.dead_letter.ports import DeadLetterStatus, Selection
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound
from entrypoints.cli.dead_letter.rows import print_rows
from entrypoints.cli.shell import Shell, Uuid, embedded_options, json_option, pass_shell, run
from entrypoints.cli.shell import show as show_json

if TYPE_CHECKING:
    from config.container import Container

_HISTORY_MAX = 1_000


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

    async def work() -> dict[str, Sequence[msgspec.Struct]]:
        async with lifecycle.on_database(settings, folder) as container:
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
        print_rows(rows, columns[name])
        click.echo()


async def _one(container: "Container", delivery: UUID, mode: Mode) -> dict[str, Sequence[msgspec.Struct]]:
    from entrypoints.http.dead_letter.views import DeadLetterOut
    from entrypoints.http.delivery import AttemptOut, HistoryOut

    reader = container.dead_letter.reader()
    dead_letters = [
        dead_letter
        for status in DeadLetterStatus
        for dead_letter in await reader.page(
            Selection(mode=mode, deliveries=(delivery,), status=status), None, _HISTORY_MAX
        )
    ]
    if not dead_letters:
        raise NotFound(f"delivery {delivery} has no dead letter")
    notification, before = dead_letters[0].notification, UUID(int=delivery.int - 1)
    moves = container.notification.history()
    shown = await container.delivery.list()(notification, mode, after=before, limit=1)
    history = await moves(notification, mode, after=(delivery, 0), limit=_HISTORY_MAX)
    return {
        "deadLetters": [DeadLetterOut.of(each) for each in sorted(dead_letters, key=lambda one: one.seq)],
        "attempts": [
            AttemptOut.copy(attempt, provider_message_id=attempt.reference)
            for each in shown
            for attempt in each.delivery.attempts
        ],
        "history": [HistoryOut.of(move) for move in history if move.delivery == delivery],
    }
