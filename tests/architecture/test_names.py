"""Names are kept in order, and each kind of breach is found."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.architecture import names
from tests.architecture.names import (
    TERMS_MAX,
    breaches,
    class_names_are_unique,
    glossary_is_in_step,
    private_words_stay_away,
)
from tests.architecture.rules import read

ROOT = Path(__file__).parents[2]
WORDS = {"word": "term"}


@dataclass
class Module:
    path: Path
    text: str
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text)


def test_the_tree_keeps_its_names_in_order() -> None:
    assert list(breaches(ROOT, read(ROOT))) == []


def test_a_class_name_that_stands_for_two_things_is_found() -> None:
    one = Module(Path("domain/kernel/a.py"), "class Message: ...\nclass Other: ...\n")
    two = Module(Path("adapters/memory/b.py"), "\n\ndef f():\n    class Message: ...\n")
    [found] = class_names_are_unique([one, two])
    assert found.startswith("adapters/memory/b.py:4: domain/kernel/a.py:1 has a class Message, too")


def test_what_ships_is_held_and_tests_are_not(tmp_path: Path) -> None:
    twins = [Module(Path(f"tests/unit/test_{n}.py"), "class World: ...\n") for n in range(2)]
    assert list(breaches(tmp_path, twins)) == []


@pytest.mark.parametrize(
    "text",
    [
        "class TheWord: ...",
        "def a_word(): ...",
        "async def word(): ...",
        "def f(word): ...",
        "def f(*, in_a_word=1): ...",
        "word = 1",
        "class A:\n    word: int",
        "for word in x: ...",
        "def f(self):\n    self.word = 1",
    ],
)
def test_a_private_word_is_found_wherever_a_name_is_given(text: str) -> None:
    [found] = private_words_stay_away([Module(Path("domain/kernel/a.py"), text)], WORDS)
    assert found.startswith("domain/kernel/a.py:")
    assert "'word' in " in found
    assert "write term" in found


def test_a_module_is_named_too_and_parts_of_words_are_none() -> None:
    [found] = private_words_stay_away([Module(Path("domain/kernel/word.py"), "")], WORDS)
    assert found.startswith("domain/kernel/word.py:1: ")
    innocent = "words = 1\nkeyword = 2\nprint(word)\n"
    assert list(private_words_stay_away([Module(Path("domain/kernel/a.py"), innocent)], WORDS)) == []


def test_a_term_that_the_code_does_not_know_is_found(tmp_path: Path) -> None:
    code = [Module(Path("domain/kernel/a.py"), "class Lane: ...\n")]
    _glossary(tmp_path, ["| lane | `Lane` | a queue |", "| gone | `Gone` | nothing |"])
    assert list(glossary_is_in_step(tmp_path, code)) == [
        "docs/glossary.md:4: Gone is not in the code: what is it called now?"
    ]


@pytest.mark.parametrize(("terms", "found"), [(TERMS_MAX, 0), (TERMS_MAX + 1, 1)])
def test_twenty_terms_are_enough(terms: int, found: int, tmp_path: Path) -> None:
    code = [Module(Path("domain/kernel/a.py"), "class Lane: ...\n")]
    _glossary(tmp_path, [f"| term {n} | `Lane` | a queue |" for n in range(terms)])
    assert len(list(glossary_is_in_step(tmp_path, code))) == found


def test_the_glossary_is_read_as_one() -> None:
    rows = [line for line in (ROOT / names.GLOSSARY).read_text().splitlines() if line.startswith("| ")]
    assert 1 < len(rows) - 1 <= TERMS_MAX  # one is the head
    assert sum(names._ROW.fullmatch(row) is not None for row in rows) == len(rows) - 1


def _glossary(root: Path, rows: list[str]) -> None:
    (root / "docs").mkdir()
    (root / "docs" / "glossary.md").write_text(
        "\n".join(["| term | in the code | meaning |", "|---|---|---|", *rows])
    )
