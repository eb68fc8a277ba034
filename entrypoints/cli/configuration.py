"""`posthorn config`."""

import click

from config.sources import env_name
from config.values import shown
from entrypoints.cli.shell import Shell, json_option, out, pass_shell, show, table


@click.group("config")
def config() -> None:
    """The configuration."""


@config.command("show")
@json_option
@click.option("--changed", is_flag=True, help="Leave out what is as by default.")
@pass_shell
def show_(shell: Shell, as_json: bool, changed: bool) -> None:
    """List every setting, its value (secrets masked) and where it comes from."""
    settings = [each for each in shell.load().listed() if not changed or each.source != "default"]
    if as_json:
        show([{"key": each.key, "value": shown(each.value), "source": each.source} for each in settings])
        return
    rows = table("key", "value", "source", "environment")
    for each in settings:
        given = each.source != "default"
        rows.row(each.key, shown(each.value), each.source, env_name(each.key), style="bold" if given else "")
    out().print(rows)


@config.command()
def reference() -> None:
    """Print what every setting is, as Markdown."""
    from config.reference import reference as tables

    click.echo(tables(), nl=False)


@config.command()
@pass_shell
def keys(shell: Shell) -> None:
    """Print the keys that vault.secret stands for: secrets!

    Put them in its place to rotate: data sealed so far opens as before. Roll a new vault.keys.2 out to all
    processes first, then vault.current = 2: it seals from then on.
    """
    from config.secrets import spelled_out

    for key, value in spelled_out(shell.load().settings).items():
        click.echo(f'{key} = "{value}"')
