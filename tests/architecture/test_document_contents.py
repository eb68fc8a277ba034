"""What documents say of settings, commands, checks, decisions, versions and states is what the code has."""

import re
import tomllib
from collections.abc import Collection, Mapping
from enum import Enum
from pathlib import Path

import pytest

from config.kinds import kinds_table
from config.reference import reference
from config.sources import PREFIX
from domain.delivery import delivery
from domain.notification import rollup
from entrypoints.cli.manual import written
from entrypoints.cli.root import cli
from tests.architecture.rooms import COMING, ROOMS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_the_settings_are_documented() -> None:
    """After a change: `posthorn config reference`, below "Every setting"."""
    assert (DOCS / "configuration.md").read_text().endswith(reference())


def test_the_examples_of_the_settings_can_be_loaded(tmp_path: Path) -> None:
    from config.load import load

    text = (DOCS / "configuration.md").read_text()
    (tmp_path / "posthorn.toml").write_text(text.partition("```toml\n")[2].partition("```")[0])
    loaded = load({}, path=tmp_path / "posthorn.toml")
    assert loaded.settings.db.url is not None
    assert "mailer" in loaded.settings.providers
    assert f"{PREFIX}DB__URL" in text


def test_the_commands_are_documented() -> None:
    """After a change: `posthorn manual > docs/cli.md`."""
    assert (DOCS / "cli.md").read_text() == written(cli)


def test_the_kinds_of_providers_are_documented() -> None:
    """After a change: `posthorn provider ls --kinds --markdown`, at the end of docs/providers.md."""
    assert (DOCS / "providers.md").read_text().endswith(kinds_table())


def test_every_decision_has_a_status_and_a_date_and_stands_in_the_index() -> None:
    """After a new one: a line in docs/decisions/README.md."""
    rows = []
    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        head = re.match(r"# (\d+)\. (.+)\n\n- Status: (.+)\n- Date: (\d{4}-\d\d-\d\d)\n\n", path.read_text())
        assert head, f"{path}: begins with its title, `- Status: ...` and `- Date: YYYY-MM-DD`"
        number, title, status, date = head.groups()
        assert int(number) == int(path.name[:4])
        assert re.fullmatch(r"proposed|accepted|rejected|superseded by \d+", status), path
        rows.append(f"| {number} | [{title}]({path.name}) | {status} | {date} |")
    index = (DOCS / "decisions" / "README.md").read_text()
    assert re.findall(r"^\| \d.*$", index, re.MULTILINE) == rows


def test_the_hooks_before_a_commit_are_the_checks_of_make_check() -> None:
    checks = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    commands = [
        command.replace("$(BIN)", ".venv/bin") for command in re.findall(r"^\t@(.+)$", checks, re.MULTILINE)
    ]
    hooks = re.findall(r"^ +entry: (.+)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.MULTILINE)
    assert commands
    assert hooks == commands


def test_the_version_has_its_place_in_the_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert released[0] == version


def test_the_rooms_are_documented() -> None:
    """After a change in tests/architecture/rooms.py: the same line in docs/architecture.md."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", (DOCS / "architecture.md").read_text(), re.MULTILINE)
    assert rows == [*ROOMS.items(), *COMING.items()]


@pytest.mark.parametrize(("name", "table"), [("delivery", delivery.NEXT), ("notification", rollup.NEXT)])
def test_a_diagram_shows_exactly_the_legal_moves(name: str, table: Mapping[Enum, Collection[Enum]]) -> None:
    diagrams = (DOCS / "architecture.md").read_text()
    drawn = re.search(rf'state "a {name}" as {name} \{{(.*?)\}}', diagrams, re.DOTALL)
    assert drawn
    moves = set(re.findall(r"(\w+) --> (\w+)", drawn[1]))
    assert moves == {(current.value, to.value) for current, tos in table.items() for to in tos}


def test_the_front_door_has_at_most_four_hundred_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 400


def test_the_tree_of_the_readme_is_the_tree() -> None:
    tree = re.search(r"## The tree\n.*?```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert tree
    shown = {line.split("/")[0] for line in tree[1].splitlines()}
    assert all((ROOT / name).is_dir() for name in shown)
    assert {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")} <= shown
