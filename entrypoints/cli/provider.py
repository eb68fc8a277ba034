"""`posthorn provider`: the accounts, what their kinds can do, and whether they are called."""

from datetime import UTC, datetime
from pathlib import Path

import click

from entrypoints.cli.job import actor
from entrypoints.cli.shell import Shell, embedded_options, json_option, out, pass_shell, run, show, table


@click.group()
def provider() -> None:
    """Providers: who carries the messages of the channels."""


@provider.command()
@click.option("--kinds", is_flag=True, help="Every kind there is, with what it can do.")
@click.option("--markdown", is_flag=True, help="With --kinds: the table of docs/providers.md.")
@json_option
@pass_shell
def ls(shell: Shell, kinds: bool, markdown: bool, as_json: bool) -> None:
    """List the providers that are configured."""
    from config.kinds import configured, every_kind, kinds_table

    if markdown:
        click.echo(kinds_table(), nl=False)
        return

    rows = every_kind() if kinds else configured(shell.load().settings)
    if as_json:
        show(rows)
        return
    head = ("kind", "channels", "package") if kinds else ("name", "kind", "channels")
    printed = table(*head, "messages a call", "receipts", "look-up")
    for row in rows:
        channels = ", ".join(row.capabilities.channels) or "all"
        first = (row.kind, channels, row.package or "") if kinds else (row.name, row.kind, channels)
        receipts, lookup = row.capabilities.receipts, row.capabilities.lookup
        printed.row(
            *first, row.capabilities.batch_max, "yes" if receipts else "no", "yes" if lookup else "no"
        )
    out().print(printed)


@provider.group()
def preset() -> None:
    """Descriptions of well-known services, to begin with."""


@preset.command("ls")
@json_option
def list_presets(as_json: bool) -> None:
    """List them."""
    from config.catalog import load_presets

    presets = load_presets()
    if as_json:
        show([{"name": each.name, "summary": each.summary} for each in presets])
        return
    printed = table("name", "service", "addressed by")
    for each in presets:
        printed.row(each.name, each.summary, each.addressed_by)
    out().print(printed)


@preset.command("show")
@click.argument("name")
def show_preset(name: str) -> None:
    """Print one, as JSON: the body of `PUT /api/providers/{name}` is its `description`."""
    from config.catalog import load_presets

    found = {each.name: each for each in load_presets()}
    if name not in found:
        raise click.BadParameter(f"no preset {name!r}: there are {', '.join(found)}", param_hint="NAME")
    show(found[name])


@provider.command()
@click.argument("name")
@click.argument("state", type=click.Choice(["open", "closed", "auto"]))
@click.option("--reason", required=True, help="Stands with it; no personal data.")
@click.option("--until", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="UTC; then auto again.")
@json_option
@embedded_options
@pass_shell
def force(
    shell: Shell,
    folder: Path | None,
    name: str,
    state: str,
    reason: str,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Decide about the provider NAME: open (it is not called), closed (it is, whatever happens), auto.

    Running processes see it within seconds.
    """
    from config import lifecycle
    from domain.provider.forcing import Forced, ForcedProvider

    given = ForcedProvider(
        provider=name,
        forced=Forced(state),
        reason=reason,
        actor=actor(),
        until=until.replace(tzinfo=UTC) if until else None,
    )

    async def work() -> None:
        async with lifecycle.on_database(shell.load().settings, folder) as container:
            await container.provider.follow()()
            await container.provider.force()(given)

    run(work)
    show(given) if as_json else click.echo(f"{name} is {state} from now on.")
