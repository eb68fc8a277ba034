"""`posthorn api | worker | events | relay | all`: the processes."""

import sys
from pathlib import Path

import click

from entrypoints.cli.shell import FAILED, Shell, embedded_options, pass_shell, run_process

host_option = click.option("--host", help="Address to listen on.")
port_option = click.option("--port", type=int, help="Port to listen on; 0: any free one.")
metrics_option = click.option("--metrics-port", type=int, help="Port of /metrics, /livez and /readyz.")


@click.command()
@host_option
@port_option
@pass_shell
def api(shell: Shell, host: str | None, port: int | None) -> None:
    """Run the REST API."""
    _listen(shell, host, port)
    _role("api", shell)


@click.command()
@click.option("--channels", help="Work on these channels only, such as email,sms.")
@click.option("--priorities", help="Work on these priorities only, such as critical,high.")
@metrics_option
@pass_shell
def worker(shell: Shell, channels: str | None, priorities: str | None, metrics_port: int | None) -> None:
    """Run delivery actors."""
    shell.flag("engine.channels", channels, "--channels")
    shell.flag("engine.priorities", priorities, "--priorities")
    shell.flag("http.metrics_port", metrics_port, "--metrics-port")
    _role("worker", shell)


@click.command()
@metrics_option
@pass_shell
def events(shell: Shell, metrics_port: int | None) -> None:
    """Consume the shop's events."""
    shell.flag("http.metrics_port", metrics_port, "--metrics-port")
    _role("events", shell)


@click.command()
@metrics_option
@pass_shell
def relay(shell: Shell, metrics_port: int | None) -> None:
    """Publish what processes that ended left in the outbox."""
    shell.flag("http.metrics_port", metrics_port, "--metrics-port")
    _role("relay", shell)


@click.command("all")
@embedded_options
@host_option
@port_option
@pass_shell
def all_(shell: Shell, folder: Path | None, host: str | None, port: int | None) -> None:
    """Run everything in one process."""
    _listen(shell, host, port)
    _role("all", shell, folder)


def _listen(shell: Shell, host: str | None, port: int | None) -> None:
    shell.flag("http.host", host, "--host")
    shell.flag("http.port", port, "--port")


def _role(name: str, shell: Shell, folder: Path | None = None) -> None:
    settings = shell.load().settings
    # Imported here: `posthorn config show` need not wait for the engine.
    from entrypoints.processes.run import run_role

    sys.exit(0 if run_process(lambda: run_role(name, settings, folder)) else FAILED)
