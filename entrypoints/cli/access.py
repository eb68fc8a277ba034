"""`posthorn key`: API keys."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import click
import msgspec

from entrypoints.cli.shell import (
    Shell,
    Uuid,
    embedded_options,
    json_option,
    out,
    pass_shell,
    run,
    show,
    table,
)

DAYS_MAX = 36_500
"""A hundred years."""


@click.group()
def key() -> None:
    """API keys."""


@key.command()
@click.argument("name")
@click.option("--test", is_flag=True, help="Its messages only ever reach the sandbox.")
@click.option("--days", type=click.IntRange(1, DAYS_MAX), help="Expires after so many days; else never.")
@json_option
@embedded_options
@pass_shell
def create(shell: Shell, folder: Path | None, name: str, test: bool, days: int | None, as_json: bool) -> None:
    """Make a key called NAME and print it: this once, only its digest is kept."""
    settings = shell.load().settings
    from config import lifecycle
    from domain.kernel.channel import Mode

    async def work() -> tuple[UUID, str]:
        async with lifecycle.on_database(settings, folder) as container:
            made = await container.access.create_key()(
                name, Mode.TEST if test else Mode.LIVE, lifetime=timedelta(days=days) if days else None
            )
            return made.key.id, made.secret.reveal()

    id_, secret = run(work)
    if as_json:
        show({"id": id_, "key": secret})
    else:
        click.echo(secret)


@key.command("list")
@json_option
@embedded_options
@pass_shell
def list_(shell: Shell, folder: Path | None, as_json: bool) -> None:
    """List all keys, oldest first."""
    settings = shell.load().settings
    from config import lifecycle

    async def work() -> list[dict[str, object]]:
        async with lifecycle.on_database(settings, folder) as container:
            return [msgspec.to_builtins(each) for each in await container.access.api_keys().all()]

    found = run(work)
    if as_json:
        show(found)
        return
    rows = table("id", "name", "mode", "prefix", "created", "expires", "revoked")
    columns = ("id", "name", "mode", "prefix", "created_at", "expires_at", "revoked_at")
    for each in found:
        rows.row(*(each[column] or "" for column in columns))
    out().print(rows)


@key.command()
@click.argument("key_id", type=Uuid())
@embedded_options
@pass_shell
def revoke(shell: Shell, folder: Path | None, key_id: UUID) -> None:
    """Take the key with this id out of use; running processes notice within 5 s."""
    settings = shell.load().settings
    from config import lifecycle

    async def work() -> None:
        async with lifecycle.on_database(settings, folder) as container:
            await container.access.revoke_key()(key_id)

    run(work)
    click.echo("Revoked.")
