"""The revisions are one line: two that follow the same one cannot be told apart by who upgrades."""

import re
from pathlib import Path

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


def test_each_revision_follows_the_one_before_it() -> None:
    found = {}
    for path in sorted(VERSIONS.glob("m*.py")):
        text = path.read_text(encoding="utf-8")
        [(revision, down)] = re.findall(
            r'^revision = "(\d+)"\ndown_revision = (None|"\d+")$', text, re.MULTILINE
        )
        assert path.name.startswith(f"m{revision}_"), path.name
        assert revision not in found, f"{path.name} and {found[revision]} have one number"
        found[revision] = path.name
        expected = "None" if revision == "0001" else f'"{int(revision) - 1:04}"'
        assert down == expected, path.name
    assert [int(revision) for revision in found] == list(range(1, len(found) + 1))
