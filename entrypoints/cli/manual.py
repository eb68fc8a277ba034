"""`posthorn manual`: all commands as one document, which is docs/cli.md."""

from collections.abc import Iterator

import click

_HEAD = """# Command line

Printed by `posthorn manual`.

Exit codes: 0 done; 1 failed; 2 wrong command line or configuration; 130 interrupted (Ctrl-C at a question).
Every mistake is one line on stderr. `--json` prints for machines, `NO_COLOR=1` without colours. Processes
(`api`, `worker`, `events`, `relay`, `all`) drain on SIGTERM or Ctrl-C within 30 s and end with 0; a second
signal ends them at once. Completion for bash: `eval "$(_POSTHORN_COMPLETE=bash_source posthorn)"`; zsh and
fish likewise.
"""
_WIDTH = 100


@click.command()
@click.pass_context
def manual(context: click.Context) -> None:
    """Print the help of all commands as Markdown."""
    root = context.find_root().command
    if isinstance(root, click.Group):
        click.echo(written(root), nl=False)


def written(root: click.Group) -> str:
    """The document."""
    return "\n".join([_HEAD, *_pages(root, "posthorn", None)])


def _pages(command: click.Command, path: str, above: click.Context | None) -> Iterator[str]:
    given = {**command.context_settings, "terminal_width": _WIDTH}
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=above, **given)
    level = "##" if above is None or above.parent is None else "###"
    yield f"{level} {path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _pages(each, f"{path} {name}", context)
