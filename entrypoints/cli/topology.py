"""`posthorn topology`: queues, exchanges and policies on the broker."""

import sys

import click

from domain.kernel.errors import PosthornError
from entrypoints.cli.shell import FAILED, Shell, json_option, pass_shell, run, show


@click.group()
def topology() -> None:
    """Queues, exchanges and policies on the broker."""


@topology.command()
@json_option
@pass_shell
def apply(shell: Shell, as_json: bool) -> None:
    """Make what is missing; say what cannot be changed, and what to do about it."""
    _report(_differences(shell, apply=True), "The topology stands.", as_json=as_json)


@topology.command()
@json_option
@pass_shell
def check(shell: Shell, as_json: bool) -> None:
    """Say what differs from what Posthorn needs; exit 1 when something does."""
    _report(_differences(shell, apply=False), "The topology is as it must be.", as_json=as_json)


@topology.command("print")
@pass_shell
def print_(shell: Shell) -> None:
    """Print the definitions, for the broker's `load_definitions`."""
    settings = shell.load().settings
    from config.broker_connections import described

    click.echo(described(settings), nl=False)


def _differences(shell: Shell, *, apply: bool) -> list[str]:
    """What differs on the broker from what is needed; with `apply`, what still does after all is laid out."""
    settings = shell.load().settings
    from config.broker_connections import described_topology, management
    from config.lifecycle import made_channels

    async def work() -> list[str]:
        made: frozenset[str] = frozenset()
        try:
            made = await made_channels(settings)
        except PosthornError as fault:  # at an installation's beginning there is none yet
            click.echo(f"channels made by the API are not looked at: {fault}", err=True)
        async with management(settings) as broker:
            needed = described_topology(settings, made)
            found = await (broker.apply(needed) if apply else broker.check(needed))
            return [str(difference) for difference in found]

    return run(work)


def _report(differences: list[str], fine: str, *, as_json: bool) -> None:
    if as_json:
        show({"differences": differences})
    else:
        for difference in differences:
            click.echo(difference)
        if not differences:
            click.echo(fine)
    if differences:
        sys.exit(FAILED)
