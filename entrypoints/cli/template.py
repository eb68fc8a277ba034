"""`posthorn template`: what a template comes to, before anybody gets it."""

import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from domain.kernel.errors import NotFound
from domain.kernel.json_values import Json
from domain.template.template import Template
from entrypoints.cli.fields import fields
from entrypoints.cli.shell import FAILED, Shell, embedded_options, json_option, out, pass_shell, run, show

if TYPE_CHECKING:
    from application.template.check import CheckedTemplate
    from config.container import Container


@click.group()
def template() -> None:
    """Templates: what they come to."""


@template.command()
@click.argument("source")
@click.option("--with", "given", multiple=True, metavar="NAME=VALUE", help="A variable; JSON or text.")
@json_option
@embedded_options
@pass_shell
def check(shell: Shell, folder: Path | None, source: str, given: Sequence[str], as_json: bool) -> None:
    """Check a template and show what it comes to: SOURCE is an id, or a file with the JSON body of
    `POST /api/templates`.

    For a text message it says how many segments are paid for, and which character makes it UCS-2. A file
    needs no server. The exit code is 1 when something is wrong with it.
    """
    data = fields(given)
    path = Path(source)
    draft = _read(path) if path.suffix == ".json" or path.is_file() else None

    async def work() -> "CheckedTemplate":
        async with _container(shell, folder, needs_database=draft is None) as container:
            found = draft or await container.template.templates().find(source)
            if found is None:
                raise NotFound(f"no active template '{source}'")
            return await container.template.check()(found, data)

    checked = run(work)
    show(_shown(checked)) if as_json else _print(checked)
    if checked.faults:
        sys.exit(FAILED)


def _container(
    shell: Shell, folder: Path | None, *, needs_database: bool
) -> AbstractAsyncContextManager["Container"]:
    from config import lifecycle

    settings = shell.load().settings
    if needs_database:
        return lifecycle.on_database(settings, folder)
    return lifecycle.without_servers(settings)


def _read(path: Path) -> Template:
    from entrypoints.http.template.bodies import TemplateIn

    try:
        body = msgspec.json.decode(path.read_bytes(), type=TemplateIn)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{path} is no template: {error}") from None
    return body.draft(body.id)


def _shown(checked: "CheckedTemplate") -> dict[str, Json]:
    sms = checked.sms
    shown: dict[str, Json] = {
        "faults": msgspec.to_builtins(checked.faults),
        "unfilled": list(checked.unfilled),
        "rendered": msgspec.to_builtins(checked.words),
    }
    if sms is not None:
        shown["sms"] = {
            "encoding": sms.encoding,
            "segments": len(sms.parts),
            "foreign": sms.foreign.character if sms.foreign else None,
        }
    return shown


def _print(checked: "CheckedTemplate") -> None:
    for fault in checked.faults:
        click.echo(f"{fault.pointer}: {fault.detail}")
    if checked.unfilled:
        click.echo(f"It is right. To see what it comes to, give {', '.join(checked.unfilled)} by --with.")
    words = checked.words
    if words is None:
        return
    said: dict[str, Json] = {"subject": words.subject, "body": words.body, "html": words.html_body}
    for name, text in {**said, **words.parts}.items():
        if text is not None:
            out().print(f"{name}: {text}", markup=False, highlight=False, soft_wrap=True)
    if checked.sms is not None:
        count = len(checked.sms.parts)
        line = f"{count} segment{'s' if count > 1 else ''}, {checked.sms.encoding.value}"
        if checked.sms.foreign is not None:
            foreign = checked.sms.foreign
            line += f": {foreign.character!r} at character {foreign.at + 1} is not in GSM-7"
        click.echo(line)
