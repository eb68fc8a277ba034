"""The README's state diagrams are the tables in the code."""

import re
from pathlib import Path

import pytest

from domain.delivery import delivery
from domain.notification import rollup

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.parametrize(("name", "table"), [("delivery", delivery.NEXT), ("notification", rollup.NEXT)])
def test_a_diagram_shows_exactly_the_legal_moves(name, table):
    drawn = re.search(rf'state "a {name}" as {name} \{{(.*?)\}}', README, re.DOTALL)
    assert drawn
    moves = set(re.findall(r"(\w+) --> (\w+)", drawn[1]))
    assert moves == {(current.value, to.value) for current, tos in table.items() for to in tos}
