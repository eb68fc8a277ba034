"""`posthorn dlq`: dead letters."""

import click

from entrypoints.cli.dead_letter.compact import compact
from entrypoints.cli.dead_letter.ls import ls
from entrypoints.cli.dead_letter.replay_discard import discard, replay
from entrypoints.cli.dead_letter.show import show


@click.group()
def dlq() -> None:
    """Dead letters: deliveries that were given up."""


for command in (ls, show, replay, discard, compact):
    dlq.add_command(command)
