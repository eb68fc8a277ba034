"""What all commands share: exit codes, one-line errors, the configuration, output for people and machines.

Exit codes: 0 done; 1 failed; 2 the command line or the configuration is wrong; 130 interrupted.
"""

import asyncio
import gc
import os
import re
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from uuid import UUID

import click
import msgspec
import uvloop
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from config.load import Loaded, load
from config.settings import Log, LogLevel, Settings
from config.sources import Given
from domain.kernel.errors import Misconfigured, PosthornError
from domain.kernel.text import HIDDEN, on_one_line

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")

FAILED, USAGE, INTERRUPTED = 1, 2, 130


class Commands(click.Group):
    """A group that answers every error with one line on stderr and its exit code."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:  # as click has it
        """Run, and end the process."""
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = USAGE
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "posthorn"
            _say(f"{error.format_message().rstrip('.')} (see `{path} --help`)")
            code = USAGE
        except click.ClickException as error:
            _say(error.format_message())
            code = FAILED
        except (click.Abort, KeyboardInterrupt):
            code = INTERRUPTED
        except Misconfigured as error:
            _say(str(error))
            code = USAGE
        except PosthornError as error:
            _say(str(error))
            code = FAILED
        except BrokenPipeError:  # `posthorn key list | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = FAILED
        sys.exit(code if isinstance(code, int) else 0)


class Shell:
    """The context of one invocation; the configuration is read when a command asks for it."""

    def __init__(self, path: Path | None, given: Sequence[str]) -> None:
        self._path = path
        self._flags = {key: Given(value, f"--set {key}") for key, value in map(_pair, given)}

    def flag(self, key: str, value: object, name: str) -> None:
        """A flag of a command that overrides a setting; None: it was not given."""
        if value is not None:
            self._flags[key] = Given(value, name)

    def load(self) -> Loaded:
        """The configuration.

        Raises:
            Misconfigured: it is wrong.
        """
        return load(os.environ, path=self._path, flags=self._flags)


pass_shell = click.make_pass_decorator(Shell)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def embedded_options(command: Callable[..., object]) -> Callable[..., Any]:  # a command of click
    """`--embedded` and `--data`; the command gets `folder`, None without them."""

    @click.option("--embedded", is_flag=True, help="Bring PostgreSQL and broker along: nothing to install.")
    @click.option(
        "--data", type=click.Path(path_type=Path, file_okay=False), help="Data folder of --embedded."
    )
    @wraps(command)
    def with_folder(
        *args: object, embedded: bool, data: Path | None, **kwargs: object
    ) -> Any:  # as the command
        if data is not None and not embedded:
            raise click.UsageError("--data goes with --embedded")
        from config.lifecycle import data_folder

        return command(*args, folder=(data or data_folder("embedded")) if embedded else None, **kwargs)

    return with_folder


def run(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a command's coroutine.

    It answers on stdout and says what is wrong itself; of the log there is only what nobody foresaw, on
    stderr.
    """
    from config.lifecycle import start_logging  # here: `--help` does without

    start_logging(Settings(log=Log(level=LogLevel.ERROR)))
    return run_process(work)


def run_process(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a coroutine on a loop of its own; from here on there is garbage to collect."""
    gc.enable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())


def channels_there_are(settings: Settings) -> list[str]:
    """Those of the configuration, and those that the API has made."""
    from config.lifecycle import made_channels

    made = run(lambda: made_channels(settings))
    return list(dict.fromkeys([*settings.accepting.channels, *sorted(made)]))


def show(value: object) -> None:
    """Print as JSON, with invisible characters and terminal controls escaped, which JSON does not demand."""
    encoded = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    click.echo(_BEYOND.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded.decode()))


_BEYOND = re.compile(rf"(?![\x00-\x1f])[{HIDDEN}]")


class PlainTable(Table):
    """A table whose cells are plain text: markup and escape sequences in them are shown, not obeyed."""

    def row(self, *cells: object, style: str = "") -> None:
        """Add a row; use it instead of `add_row`, which takes markup."""
        self.add_row(*(Text(on_one_line(str(cell))) for cell in cells), style=style)


def table(*columns: str) -> PlainTable:
    """An empty table with these column heads."""
    made = PlainTable(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def plain(text: str) -> str:
    """Escape text from outside before it is put into markup."""
    return escape(on_one_line(text))


class Uuid(click.ParamType[UUID]):
    """An id in its one spelling (RFC 9562, 4); `click.UUID` reads many."""

    name = "uuid"

    def convert(
        self,
        value: Any,  # as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> UUID:
        """Read the option."""
        if isinstance(value, UUID):
            return value
        try:
            found = UUID(value)
        except ValueError:
            found = None
        if found is None or str(found) != value.lower():
            self.fail(f"{value!r} is no id such as 0198f7a0-0000-7000-8000-000000000000", param, ctx)
        return found


def out() -> Console:
    """The terminal, or a pipe: then without colours and never folded to a narrow width."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


def progress_bars(*, quiet: bool = False) -> "Progress":
    """Progress bars on stderr; nothing is shown when that is no terminal."""
    from rich.progress import Progress  # here: most commands have none

    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=quiet or not console.is_terminal)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be taken back.

    Raises:
        click.Abort: no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes to go on without being asked")
    click.confirm(question, abort=True)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        # Not quoted: what was meant may be a URL with a password.
        raise click.BadParameter("give KEY=VALUE, such as log.level=debug", param_hint="--set")
    return key, value


def _say(message: str) -> None:
    click.echo(f"posthorn: {on_one_line(message)}", err=True)
