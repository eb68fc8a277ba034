"""`posthorn user`: the shop's customers and guests, as Posthorn knows them."""

import sys
from pathlib import Path

import click
import msgspec

from entrypoints.cli.shell import (
    Shell,
    confirm,
    embedded_options,
    json_option,
    pass_shell,
    run,
    show,
    yes_option,
)


@click.group()
def user() -> None:
    """The shop's customers, and guests."""


@user.command()
@click.option("--id", "user_id", help="The shop's own id.")
@click.option("--email", help="An e-mail address; `-` reads it from standard input.")
@click.option("--phone", help="A telephone number (+49...); `-` reads it from standard input.")
@click.option("--customers", is_flag=True, help="With an address: not guests alone, customers too.")
@yes_option
@json_option
@embedded_options
@pass_shell
def erase(
    shell: Shell,
    folder: Path | None,
    user_id: str | None,
    email: str | None,
    phone: str | None,
    customers: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase for good: delete the keys under which all that is personal is encrypted.

    Deliveries that wait for them are not sent any more. Suppressed addresses stay suppressed.
    """
    settings = shell.load().settings
    from application.user.erase import Erased, UserSelector
    from config import lifecycle
    from domain.kernel.channel import Mode

    selector = UserSelector(user_id=user_id, email=_given(email), phone=_given(phone))
    if [selector.user_id, selector.email, selector.phone].count(None) != 2:
        raise click.UsageError("give one of --id, --email and --phone")
    confirm("Erase for good, with nothing to bring it back?", yes=yes)

    async def work() -> Erased:
        async with lifecycle.on_database(settings, folder) as container:
            return await container.user.erase()(selector, Mode.LIVE, customers=customers)

    done = run(work)
    if as_json:
        show(msgspec.to_builtins(done))
        return
    click.echo(f"Erased: {done.erased}")
    if done.kept:
        click.echo(f"Kept: {done.kept} customers with this address; --customers erases them, too.")


def _given(value: str | None) -> str | None:
    return sys.stdin.readline().strip() if value == "-" else value
