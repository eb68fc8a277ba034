"""`posthorn demo`."""

import sys
from pathlib import Path

import click

from entrypoints.cli.shell import FAILED, run_process


@click.command()
@click.option(
    "--once", is_flag=True, help="Play one day, hold its numbers against what they must be, and end."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port of the page and the API; else the first free from 8025.",
)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data folder.")
def demo(once: bool, port: int | None, data: Path | None) -> None:
    """Play a shop's day, live: no server, no root, no configuration needed.

    Starts PostgreSQL and a mail server of its own, and a page that shows what they do.  Nothing leaves this
    machine.
    """
    click.echo("Posthorn demo: starting PostgreSQL and a mail server of its own ...")
    # Imported here: the line above should not have to wait for the engine.
    from config.lifecycle import data_folder
    from entrypoints.demo.run import run_demo

    folder = data or data_folder("demo")
    sys.exit(0 if run_process(lambda: run_demo(once=once, port=port, folder=folder)) else FAILED)
