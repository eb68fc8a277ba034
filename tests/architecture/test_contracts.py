"""The import contracts hold on the tree, and each of them breaks when somebody breaks it.

The negative controls plant one import into an otherwise lawful little tree with the same floors and rooms,
and run the very configuration of the project on it.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

LAWFUL = {
    "domain/kernel/ids": "import msgspec",
    "application/notification/ports": "import domain.kernel.ids",
    "application/outbox/pointers": "import domain.kernel.ids",
    "application/notification/submit": "import application.notification.ports, application.outbox.pointers",
    "application/delivery/attempt": "import application.notification.ports",
    "adapters/postgres/store": "import sqlalchemy, application.notification.ports",
    "adapters/rabbitmq/relay": "import aio_pika",
    "adapters/http/egress": "import aiohttp",
    "adapters/alerts/webhook": "import adapters.http.egress",
    "adapters/providers/kit/settings": "import msgspec",
    "adapters/providers/email/pigeon": "import adapters.providers.kit.settings",
    "adapters/providers/sms/raven": "import adapters.providers.kit.settings",
    "migrations/env": "import adapters.postgres.store",
    "config/container": "import adapters.postgres.store, adapters.rabbitmq.relay",
    "entrypoints/engine/supervisor": "import application.delivery.attempt",
    "entrypoints/amqp/intake": "import entrypoints.engine.supervisor",
    "entrypoints/http/app": "import application.notification.submit, entrypoints.http.kit.api",
    "entrypoints/http/kit/api": "import entrypoints.http.server.connection",
    "entrypoints/http/problems/problem": "import msgspec",
    "entrypoints/http/server/connection": "import entrypoints.http.problems.problem",
    "entrypoints/processes/run": "import config.container, entrypoints.engine.supervisor",
    "entrypoints/demo/run": "import config.container, entrypoints.processes.run",
    "entrypoints/cli/demo": "import entrypoints.demo.run",
}

# contract -> (module that offends, what it imports)
OFFENCES = [
    ("downstairs", "domain/kernel/ids", "application.notification.ports"),
    ("downstairs", "application/notification/submit", "adapters.postgres.store"),
    ("downstairs", "adapters/postgres/store", "config.container"),
    ("downstairs", "adapters/postgres/store", "migrations.env"),
    ("downstairs", "config/container", "entrypoints.cli.demo"),
    ("pure-domain", "domain/kernel/ids", "random"),
    ("pure-domain", "domain/kernel/ids", "logging"),
    ("no-io-libraries", "domain/kernel/ids", "sqlalchemy"),
    ("no-io-libraries", "application/notification/submit", "structlog"),
    ("no-io-libraries", "application/notification/ports", "aio_pika.abc"),
    ("silent-application", "application/notification/submit", "logging"),
    ("rooms-of-use-cases", "application/delivery/attempt", "application.notification.submit"),
    ("sibling-adapters", "adapters/rabbitmq/relay", "adapters.postgres.store"),
    ("sibling-adapters", "adapters/http/egress", "adapters.alerts.webhook"),
    ("sibling-providers", "adapters/providers/sms/raven", "adapters.providers.email.pigeon"),
    ("sibling-providers", "adapters/providers/kit/settings", "adapters.providers.sms.raven"),
    ("composition-root", "entrypoints/cli/demo", "adapters.postgres.store"),
    ("engine-is-given-its-parts", "entrypoints/engine/supervisor", "config.container"),
    ("engine-is-given-its-parts", "entrypoints/engine/supervisor", "entrypoints.processes.run"),
    ("server-knows-no-routes", "entrypoints/http/server/connection", "entrypoints.http.kit.api"),
    ("server-knows-no-routes", "entrypoints/http/problems/problem", "entrypoints.http.server.connection"),
    ("demo-apart", "entrypoints/processes/run", "entrypoints.demo.run"),
    ("demo-apart", "entrypoints/engine/supervisor", "entrypoints.demo.run"),
]


def test_the_tree_keeps_every_contract() -> None:
    verdict = _lint(ROOT)
    assert verdict.returncode == 0, verdict.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in verdict.stdout


def test_a_lawful_little_tree_keeps_every_contract(tmp_path: Path) -> None:
    _build(tmp_path, LAWFUL)
    verdict = _lint(tmp_path)
    assert verdict.returncode == 0, verdict.stdout


def test_every_contract_has_a_negative_control() -> None:
    assert {contract["id"] for contract in CONTRACTS} == {contract for contract, _, _ in OFFENCES}


@pytest.mark.parametrize(("contract", "offender", "imported"), OFFENCES)
def test_a_contract_breaks_when_broken(contract: str, offender: str, imported: str, tmp_path: Path) -> None:
    _build(tmp_path, LAWFUL | {offender: f"{LAWFUL[offender]}\nimport {imported}"})
    verdict = _lint(tmp_path, "--contract", contract)
    assert verdict.returncode == 1, verdict.stdout
    assert "0 kept, 1 broken" in verdict.stdout
    assert f"{offender.replace('/', '.')} -> {imported.removesuffix('.abc')}" in verdict.stdout.replace(
        "\n", " "
    )


def test_the_floors_are_this_tree_and_not_some_library_of_the_same_name(tmp_path: Path) -> None:
    floors = ("domain", "application", "adapters", "entrypoints", "config", "migrations")
    program = f"import {', '.join(floors)}\nprint(*[m.__file__ for m in ({', '.join(floors)})], sep='\\n')"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == [str(ROOT / floor / "__init__.py") for floor in floors]


def _build(root: Path, modules: dict[str, str]) -> None:
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for name, text in modules.items():
        path = (root / name).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
        for folder in (path.parent, *path.parent.relative_to(root).parents):
            (root / folder / "__init__.py").touch()


def _lint(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [linter, "--no-cache", "--no-logo", *options],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
