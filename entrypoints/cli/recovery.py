"""`posthorn recover`: issue the broker's messages anew from the database."""

import click

from config.settings import Settings
from domain.kernel.channel import Lane
from entrypoints.cli.shell import Shell, channels_there_are, confirm, pass_shell, run, yes_option


@click.command()
@click.option(
    "--lane", "name", help="One lane alone, such as email.high; email.high.dlq for its dead letters."
)
@yes_option
@pass_shell
def recover(shell: Shell, name: str | None, yes: bool) -> None:
    """Issue the messages of all unfinished deliveries and open dead letters anew, the urgent first.

    Processes do so by themselves when the broker has lost its data; this does it by hand, for a lane whose
    queue was purged too. Harmless when nothing was lost: the older messages are stale then and dropped.
    """
    settings = shell.load().settings
    lane, dead = (None, None) if name is None else _lane(name, settings)
    where = "" if name is None else f" of {name}"
    confirm(f"Issue the messages of all unfinished deliveries{where} anew?", yes=yes)
    from config import lifecycle

    async def work() -> tuple[int, int]:
        async with lifecycle.on_database(settings) as container:
            recovery = container.recovery.recovery()
            return (
                0 if dead else await recovery.reissue(lane=lane),
                0 if dead is False else await recovery.reissue_dead(lane=lane),
            )

    pointers, dead_letters = run(work)
    click.echo(
        f"Issued {pointers:,} pointers and {dead_letters:,} dead letters; a running process publishes them "
        "within seconds."
    )


def _lane(name: str, settings: Settings) -> tuple[Lane, bool]:
    """The lane, and whether its dead letters are meant."""
    queue = name if name.startswith("deliver.") else f"deliver.{name}"
    try:
        lane = Lane.parse(queue.removesuffix(".dlq"))
    except ValueError:
        raise click.BadParameter(
            f"{name!r} is not a lane: use channel.priority, such as email.high, or email.test",
            param_hint="--lane",
        ) from None
    if lane.channel not in settings.accepting.channels:
        channels = channels_there_are(settings)
        if lane.channel not in channels:
            raise click.BadParameter(
                f"no channel {lane.channel!r}: there are {', '.join(channels)}", param_hint="--lane"
            )
    return lane, queue.endswith(".dlq")
