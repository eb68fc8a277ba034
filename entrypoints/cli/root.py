"""The root of all commands."""

from importlib.metadata import version
from pathlib import Path

import click

from entrypoints.cli.access import key
from entrypoints.cli.channel import channel
from entrypoints.cli.configuration import config
from entrypoints.cli.database import migrate
from entrypoints.cli.dead_letter import dlq
from entrypoints.cli.demo import demo
from entrypoints.cli.doctor import doctor
from entrypoints.cli.manual import manual
from entrypoints.cli.notification.send import send
from entrypoints.cli.process import all_, api, events, relay, worker
from entrypoints.cli.provider import provider
from entrypoints.cli.recovery import recover
from entrypoints.cli.sandbox import sandbox
from entrypoints.cli.shell import Commands, Shell
from entrypoints.cli.template import template
from entrypoints.cli.topology import topology
from entrypoints.cli.user import user


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="Configuration file; else POSTHORN_CONFIG, else ./posthorn.toml.",
)
@click.option(
    "--set", "given", multiple=True, metavar="KEY=VALUE", help="Override a setting; may be repeated."
)
@click.version_option(version("posthorn"), prog_name="posthorn")
@click.pass_context
def cli(context: click.Context, path: Path | None, given: tuple[str, ...]) -> None:
    """Posthorn notifies a shop's customers of what happened, and loses no message.

    \b
    Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 130 interrupted.
    """
    context.obj = Shell(path, given)


for command in (
    *(api, worker, events, relay, all_, demo),
    *(
        migrate,
        topology,
        key,
        user,
        send,
        template,
        channel,
        provider,
        sandbox,
        dlq,
        doctor,
        recover,
        config,
        manual,
    ),
):
    cli.add_command(command)
