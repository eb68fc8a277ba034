"""`posthorn dlq`: dead letters."""

import click

from entrypoints.cli.dlq.closing import discard, replay
from entrypoints.cli.dlq.compacting import compact
from entrypoints.cli.dlq.looking import ls, show


@click.group()
def dlq() -> None:
    """Dead letters: deliveries that were given up."""


for command in (ls, show, replay, discard, compact):
    dlq.add_command(command)
