"""The command line: exit codes, one line for each mistake, no secret on the screen."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result

from entrypoints.cli import shell
from entrypoints.cli.root import cli

CANARY = "canary-9f3a"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def invoke(*arguments: str, **environ: str) -> Result:
        return runner.invoke(cli, arguments, env=environ, prog_name="posthorn")

    return invoke


WRONG = [
    ("demoo", "No such command 'demoo'. Did you mean 'demo'? (see `posthorn --help`)"),
    ("worker --lanes x", "No such option '--lanes'. Did you mean '--channels'?"),
    ("key create", "Missing argument 'NAME' (see `posthorn key create --help`)"),
    ("key revoke 7", "'7' is no id such as"),
    ("api --port 70000", "http.port (from --port): 70000 is not a whole number from 0 to 65535"),
    ("worker --channels fax", "engine.channels names fax: add it to accepting.channels"),
    ("worker --priorities now", "engine.priorities (from --priorities): 'now' is not a list, each critical"),
    ("--set pool config show", "give KEY=VALUE, such as log.level=debug"),
    (
        "--set db.pools=3 config show",
        "db.pools (from --set db.pools) is not a setting: did you mean db.pool?",
    ),
    ("--config nowhere.toml config show", "the configuration file nowhere.toml cannot be read: No such file"),
    ("all --data folder", "--data goes with --embedded"),
    ("recover", "Say --yes to go on without being asked"),
    ("dlq replay", "say which: ids, --group, --since or another filter, or else --all"),
    ("dlq replay --all --channel email --yes", "say which: ids, --group"),
    ("dlq replay 7", "'7' is no id such as"),
    ("dlq discard --all", "Missing option '--reason'"),
    ("dlq ls --since yesterday", "'yesterday' is not a time such as 2026-01-31T12:00:00Z, or a duration"),
    ("dlq ls --since 2026-01-31T12:00:00", "is not a time such as 2026-01-31T12:00:00Z"),
    ("dlq ls --status closed", "'closed' is not one of 'open', 'replayed', 'discarded'"),
    ("dlq compact deliver.email.high", "is not a dead queue such as deliver.email.high.dlq"),
    ("dlq compact", "Say --yes to go on without being asked"),
    ("send ann@shop.test --url http://localhost", "--url needs an API key: set POSTHORN_API_KEY"),
    ("send ann@shop.test --with total", "'total' is not NAME=VALUE"),
    ("demo --port high", "'high' is not a valid integer"),
]


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(line: str, message: str, run: Run) -> None:
    result = run(*line.split())
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("posthorn: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_what_is_no_setting_is_not_quoted(run: Run) -> None:
    assert "hunter2" not in run("--set", "postgresql://user:hunter2@host/db", "config", "show").stderr


def test_without_a_command_help_is_shown(run: Run) -> None:
    result = run()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_every_command_says_what_it_does(run: Run) -> None:
    for path, command in _commands(cli, ()):
        result = run(*path, "--help")
        assert result.exit_code == 0, path
        assert command.help, path
        assert all(option.help for option in command.params if isinstance(option, click.Option)), path


def test_config_show_masks_secrets_and_names_sources(run: Run, tmp_path: Path) -> None:
    (tmp_path / "posthorn.toml").write_text("[http]\nport = 9000\n")
    environ = {
        "POSTHORN_DB__URL": f"postgresql://shop:{CANARY}@db/posthorn",
        "POSTHORN_VAULT__SECRET": CANARY,
    }
    result = run("config", "show", **environ)
    assert result.exit_code == 0
    assert CANARY not in result.output
    assert "postgresql://shop:••••••@db/posthorn" in result.stdout
    shown = json.loads(run("config", "show", "--json", **environ).stdout)
    by_key = {each["key"]: each for each in shown}
    assert by_key["http.port"] == {"key": "http.port", "value": "9000", "source": "posthorn.toml"}
    assert by_key["vault.secret"]["value"] == "••••••"
    assert by_key["db.pool"]["source"] == "default"
    changed = json.loads(run("config", "show", "--json", "--changed", **environ).stdout)
    assert {each["key"] for each in changed} == {"http.port", "db.url", "vault.secret"}


def test_topology_print_writes_the_committed_file(run: Run) -> None:
    committed = Path(__file__).parents[3] / "rabbitmq" / "definitions.json"
    assert run("topology", "print").stdout == committed.read_text(encoding="utf-8")


def _commands(group: click.Group, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += _commands(command, (*path, name))
    return found


@pytest.fixture
def restored() -> Iterator[None]:
    """The log as it was before."""
    root = logging.getLogger()
    before = root.handlers, root.level
    yield
    root.handlers, root.level = before
    structlog.reset_defaults()


def test_a_command_prints_nothing_but_its_answer(capsys: pytest.CaptureFixture[str], restored: None) -> None:
    """`posthorn dlq compact --json | jq`: what parts of it log stands neither before nor behind."""

    async def work() -> None:
        log = structlog.get_logger("posthorn")
        log.debug("task.ended", task="amqp consumer")
        log.warning("link.lost")
        log.error("unforeseen")

    shell.run(work)

    said = capsys.readouterr()
    assert said.out == ""
    assert [json.loads(line)["event"] for line in said.err.splitlines()] == ["unforeseen"]
