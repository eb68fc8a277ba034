"""The documents name what exists, and each kind of name that leads nowhere is found."""

import re
from pathlib import Path

import pytest

from tests.architecture.documents import GONE, HISTORY, Tree, _symbols, breaches, defined

ROOT = Path(__file__).parents[2]

PLANTED = {
    "README.md": "# Posthorn\n\n## Way of *a* message\n",
    "docs/there.md": "# There\n",
    "domain/kernel/ids.py": "LIMIT = 3\nclass Ids:\n    first: int = 0\n    def next(self): ...\n",
    "domain/kernel/clock.py": "class Clock: ...\n",
    "config/catalog/rule.toml": 'key = "x"\n',
    "tests/faults/test_frozen.py": "",
}

# what the line of a document says -> what is said about it; empty: nothing
LINES = {
    "[there](docs/there.md)": "",
    "[there](docs/there.md#there), [here](#way-of-a-message), [out](https://example.org/gone.md)": "",
    "[gone](docs/gone.md)": "the link to docs/gone.md leads nowhere",
    "[moved](there.md)": "did it move to docs/there.md?",
    "[there](docs/there.md#elsewhere)": "docs/there.md has no heading #elsewhere",
    "`domain/kernel/ids.py`, `domain/<room>/ids.py`, `tests/faults`, `tests/faults/`, `docs/*.md`": "",
    "`/api/notifications`, `tests are green`, `gone.toml`": "",
    "`domain/gone.py`": "domain/gone.py does not exist",
    "`domain/ids.py`": "did it move to domain/kernel/ids.py?",
    "`domain/<room>/gone.py`": "domain/<room>/gone.py does not exist",
    "`test_frozen.py`": "",
    "`test_gone.py`": "no file is called test_gone.py",
    "- `domain/kernel/ids.py` `Ids`, `Ids.next`, `Ids.first`, `LIMIT`: words": "",
    "- `config/catalog/rule.toml` `key =`: words": "",
    "- `config/catalog/rule.toml` `keys`: words": "does not define keys",
    "- `domain/kernel/ids.py` `Ids.last`: words": "does not define Ids.last; what is it called now?",
    "- `domain/kernel/time.py` `Clock`: words": "did it move to domain/kernel/clock.py?",
    "- `domain/kernel/ids.py` `Clock`: words": "it is in domain/kernel/clock.py: change this line",
}


def test_the_documents_name_what_exists() -> None:
    assert list(breaches(ROOT)) == []


def test_what_is_excepted_is_still_said_and_still_gone() -> None:
    tree = Tree(ROOT)
    for document, path in GONE:
        assert f"`{path}`" in tree.text(document)
        assert not (ROOT / path).exists()


def test_every_line_of_the_tour_is_held() -> None:
    """Negative control: with another symbol each of them is found."""
    tree = Tree(ROOT)
    lines = [line for line in _tour().splitlines() if line.startswith("- ")]
    assert len(lines) > 100
    for line in lines:
        assert any(_symbols(tree, re.sub(r"^(- `[^`]+` `)", r"\1no_", line))), line


def test_every_question_of_the_tour_is_answered_by_files() -> None:
    questions = _tour().split("\n### ")[1:]
    assert len(questions) >= 16
    for question in questions:
        assert "\n- `" in question, question.splitlines()[0]


@pytest.mark.parametrize("line", LINES)
def test_a_name_that_leads_nowhere_is_found(line: str, tmp_path: Path) -> None:
    _plant(tmp_path, PLANTED | {"README.md": f"{PLANTED['README.md']}\n{line}\n"})
    found = list(breaches(tmp_path))
    if LINES[line]:
        assert len(found) == 1
        assert found[0].startswith("README.md:5: ")
        assert LINES[line] in found[0]
    else:
        assert found == []


@pytest.mark.parametrize("document", ["docs/a.md", "docs/decisions/0001-a.md", "CONTRIBUTING.md"])
def test_every_document_is_held(document: str, tmp_path: Path) -> None:
    _plant(tmp_path, PLANTED | {document: "`domain/gone.py`\n"})
    assert [each.partition(" ")[0] for each in breaches(tmp_path)] == [f"{document}:1:"]


def test_a_folder_without_files_is_none(tmp_path: Path) -> None:
    _plant(tmp_path, PLANTED | {"README.md": "`tests/old`\n", "tests/old/__pycache__/test_x.pyc": ""})
    assert [each.partition(" ")[2] for each in breaches(tmp_path)] == ["tests/old does not exist"]


def test_history_may_name_what_is_gone_but_its_links_lead_somewhere(tmp_path: Path) -> None:
    _plant(tmp_path, PLANTED | dict.fromkeys(HISTORY, "`domain/gone.py` [gone](gone.md)\n"))
    assert [each.partition(" ")[2] for each in breaches(tmp_path)] == ["the link to gone.md leads nowhere"]


def test_code_blocks_are_left_alone(tmp_path: Path) -> None:
    _plant(tmp_path, PLANTED | {"README.md": "```sh\n[x](gone.md) `domain/gone.py`\n```\n"})
    assert list(breaches(tmp_path)) == []


def test_what_a_module_defines() -> None:
    source = "A = B = 1\nC: int = 2\ndef f():\n    inner = 1\nclass D:\n    e = 1\n    async def g(self): ..."
    assert defined(source) == {"A", "B", "C", "f", "D", "D.e", "D.g"}


def _tour() -> str:
    return (ROOT / "docs" / "architecture.md").read_text().partition("\n## The tour\n")[2]


def _plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
