"""What somebody else wrote reaches a terminal or a log as text, never as markup or as commands to it."""

import io
import json
import logging
from pathlib import Path

import pytest
import structlog

from adapters.telemetry.logs import configure
from domain.kernel.text import hides, on_one_line
from entrypoints.cli import shell

WRITTEN = [
    "[/x]",
    "[bold red]a",
    "[link=http://x]y",
    "\x1b[2Jgone",
    "a\u202eb",
    "a\x9b2Jb",
    "a\nb",
    "a\rb",
    "\x07",
]
OBEYED = ("\x1b", "\x9b", "\u202e", "\r", "\x07")


@pytest.mark.parametrize("written", WRITTEN)
def test_a_cell_is_what_somebody_wrote(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = shell.table("name", "mode")
    rows.row(written, None)
    shell.out().print(rows)
    printed = capsys.readouterr().out
    assert on_one_line(written) in printed
    assert not [each for each in OBEYED if each in printed]


@pytest.mark.parametrize("written", WRITTEN)
def test_what_stands_in_markup_is_no_markup(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    shell.out().print(f"[bold]{shell.plain(written)}[/]")
    printed = capsys.readouterr().out
    assert on_one_line(written) in printed
    assert not [each for each in OBEYED if each in printed]


@pytest.mark.parametrize("written", WRITTEN)
def test_json_is_the_same_and_obeyed_by_no_terminal(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    shell.show({"name": written})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": written}
    assert not [each for each in OBEYED if each in printed]


def test_tables_are_filled_in_one_way() -> None:
    """`add_row` takes markup."""
    root = Path(shell.__file__).parent
    found = [path.name for path in root.rglob("*.py") if ".add_row(" in path.read_text()]
    assert found == ["shell.py"]


@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize("written", WRITTEN)
def test_a_log_line_is_one_line_of_text(written: str, form: str) -> None:
    before, level = logging.getLogger().handlers, logging.getLogger().level
    stream = io.StringIO()
    try:
        configure("info", form, stream)
        structlog.get_logger("t").info("worked", reason=written, type={written: written}, lanes=[written])
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers = before
        logging.getLogger().setLevel(level)
    printed = stream.getvalue()
    assert printed.count("\n") == 1
    assert not [each for each in OBEYED if each in printed]


@pytest.mark.parametrize("said", [*"\0\x1b\u202e\u200b\u2028\ufeff\xad\u2066", "a\n"])
def test_what_nobody_sees_is_found(said: str) -> None:
    assert hides(said)
    assert hides(f"x{said}", joiners=True)


@pytest.mark.parametrize("said", ["", "abc", "Zoë", "注文", "a b", "😀", "a\u00a0b"])
def test_what_everybody_sees_is_let_through(said: str) -> None:
    assert not hides(said)


def test_some_names_are_written_with_joiners() -> None:
    assert hides("👩\u200d🚀")
    assert not hides("👩\u200d🚀", joiners=True)
    assert not hides("نیلوفر\u200cنام", joiners=True)
