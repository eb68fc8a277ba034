"""`posthorn migrate` and `posthorn recover`: the database's own commands."""

import click

from entrypoints.cli.shell import Shell, confirm, pass_shell, run, yes_option


@click.command()
@click.option("--without-catalog", is_flag=True, help="Leave the shipped templates and triggers out.")
@pass_shell
def migrate(shell: Shell, without_catalog: bool) -> None:
    """Bring the database to this release: tables, partitions, shipped templates and triggers.

    Run it before the first start and after each upgrade; running it again is harmless.
    """
    settings = shell.load().settings
    from config import lifecycle

    async def work() -> list[str]:
        await lifecycle.prepare_database(settings)
        if without_catalog:
            return []
        container = lifecycle.built(settings)
        async with lifecycle.opened_database(container):
            return await lifecycle.install_catalog(container)

    added = run(work)
    click.echo("The database is ready.")
    if added:
        click.echo(f"Added: {', '.join(added)}.")


@click.command()
@yes_option
@pass_shell
def recover(shell: Shell, yes: bool) -> None:
    """Issue the messages of all unfinished deliveries and open dead letters anew.

    Processes do so by themselves when the broker has lost its data; this does it by hand. Harmless when
    nothing was lost: the older messages are stale then and dropped.
    """
    settings = shell.load().settings
    confirm("Issue the messages of all unfinished deliveries anew?", yes=yes)
    from config import lifecycle

    async def work() -> tuple[int, int]:
        container = lifecycle.built(settings)
        async with lifecycle.opened_database(container):
            recovery = container.recovery()
            return await recovery.reissue(), await recovery.reissue_dead()

    pointers, dead_letters = run(work)
    click.echo(
        f"Issued {pointers:,} pointers and {dead_letters:,} dead letters; a running process publishes them "
        "within seconds."
    )
