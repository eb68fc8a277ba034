"""`posthorn migrate`."""

import click

from entrypoints.cli.shell import Shell, pass_shell, run


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
        async with lifecycle.on_database(settings) as container:
            return await lifecycle.install_catalog(container)

    added = run(work)
    click.echo("The database is ready.")
    if added:
        click.echo(f"Added: {', '.join(added)}.")
