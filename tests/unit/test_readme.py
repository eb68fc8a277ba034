"""The state diagrams of docs/architecture.md are the tables in the code; the README stays short."""

import re
from pathlib import Path

import pytest

from domain.delivery import delivery
from domain.notification import rollup

ROOT = Path(__file__).parents[2]
DIAGRAMS = (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize(("name", "table"), [("delivery", delivery.NEXT), ("notification", rollup.NEXT)])
def test_a_diagram_shows_exactly_the_legal_moves(name, table):
    drawn = re.search(rf'state "a {name}" as {name} \{{(.*?)\}}', DIAGRAMS, re.DOTALL)
    assert drawn
    moves = set(re.findall(r"(\w+) --> (\w+)", drawn[1]))
    assert moves == {(current.value, to.value) for current, tos in table.items() for to in tos}


def test_the_front_door_has_at_most_four_hundred_lines():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 400


def test_the_tree_of_the_readme_is_the_tree():
    tree = re.search(r"## The tree\n.*?```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert tree
    shown = {line.split("/")[0] for line in tree[1].splitlines()}
    assert all((ROOT / name).is_dir() for name in shown)
    assert {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")} <= shown
