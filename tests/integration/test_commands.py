"""Commands that load the whole engine, and are told at once what they lack."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

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


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("migrate", "db.url is not set: give POSTHORN_DB__URL=postgresql://"),
        ("api", "is not set: give POSTHORN_"),
        ("worker", "is not set: give POSTHORN_"),
        ("events", "is not set: give POSTHORN_"),
        ("relay", "is not set: give POSTHORN_"),
        ("key list", "db.url is not set: give POSTHORN_DB__URL=postgresql://"),
        ("user erase --email a@shop.test --yes", "db.url is not set: give POSTHORN_DB__URL=postgresql://"),
        ("recover --yes", "db.url is not set: give POSTHORN_DB__URL=postgresql://"),
        ("dlq ls", "db.url is not set: give POSTHORN_DB__URL=postgresql://"),
        ("dlq replay --all --yes", "db.url is not set: give POSTHORN_DB__URL=postgresql://"),
        ("dlq compact --yes", "db.url is not set: give POSTHORN_DB__URL=postgresql://"),
        ("topology check", "amqp.management_url is not set: give POSTHORN_AMQP__MANAGEMENT_URL=http://"),
        ("send ann@shop.test --subject Hi", "db.url is not set: give POSTHORN_DB__URL=postgresql://"),
    ],
)
def test_what_is_not_set_is_said_with_how_to_set_it(line: str, message: str, run: Run) -> None:
    result = run(*line.split())
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("posthorn: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_an_unreachable_database_is_a_failure_without_its_password(run: Run) -> None:
    environ = {"POSTHORN_DB__URL": f"postgresql://shop:{CANARY}@localhost:1/x"}
    result = run("migrate", **environ)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert CANARY not in result.output


def test_a_key_that_is_no_key_is_not_repeated(run: Run) -> None:
    environ = {"POSTHORN_VAULT__SECRET": CANARY, "POSTHORN_DB__URL": "postgresql://db/x"}
    result = run("api", **environ, POSTHORN_AMQP__URL="amqp://mq")
    assert result.exit_code == 2
    assert "vault.secret" in result.stderr
    assert CANARY not in result.output


def test_doctor_names_what_mends(run: Run) -> None:
    result = run("doctor", "--json", POSTHORN_DB__URL="postgresql://localhost:1/x")
    assert result.exit_code == 1
    finding = json.loads(result.stdout)[0]
    assert finding["fine"] is False
    assert "vault.secret is not set" in finding["detail"]
    assert finding["mend"]


def test_topology_print_needs_no_broker(run: Run) -> None:
    result = run("topology", "print")
    assert result.exit_code == 0
    assert "deliver.email.critical" in {queue["name"] for queue in json.loads(result.stdout)["queues"]}
