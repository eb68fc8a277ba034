"""Names: no class has the name of another one, the glossary is what the code says, private words stay away.

- A class name stands for one thing in everything that ships: nobody has to look which `Message` is meant.
- docs/glossary.md has at most twenty terms, and each of them is in the code under the name given there.
- Words that once were private names for what the field has terms for do not come back (`PRIVATE`).
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

PRODUCT = ("domain", "application", "adapters", "entrypoints", "config", "migrations")
TERMS_MAX = 20
GLOSSARY = "docs/glossary.md"

PRIVATE: Mapping[str, str] = {
    "abandoned": "strikes",
    "addressee": "resolved recipient",
    "addressees": "resolved recipients",
    "buried": "dead_lettered",
    "bury": "insert a dead letter, or give up",
    "choosing": "selection",
    "cord": "fault proxy",
    "cork": "buffered transport",
    "desk": "unacked",
    "edge": "api",
    "eyes": "what is watched, and by whom",
    "fitting": "what fits, as in take_within",
    "former": "legacy, of an earlier release",
    "incarnation": "broker marker, or recovery",
    "lenient": "drop_invalid",
    "looking": "show, or list",
    "mirror": "users, or update users",
    "mirrored": "updated",
    "misshapen": "fault of its shape",
    "people": "users",
    "person": "user",
    "persons": "users",
    "relied": "current",
    "rests": "paused",
    "sane": "what is checked",
    "spends": "counts",
    "spent": "attempts_counted",
    "suspect": "struck",
    "suspecting": "on_struck",
    "suspects": "struck",
    "tell": "report, notify or send",
    "telling": "alerting or reporting",
    "tells": "reports or says",
    "told": "reported, answered or known",
    "trip": "route, or pointer to be issued",
    "trips": "routes, or pointers to be issued",
    "unfit": "what is wrong with it",
    "untold": "not reported, or not alerted",
    "verdict": "result, decision or disposition",
    "verdicts": "results, decisions or dispositions",
    "weather": "random faults",
    "wires": "faulty ports",
    "won": "created",
}
"""Word -> what to write instead.  Held are the names of modules, classes, functions, arguments and values."""

_ROW = re.compile(r"\| (?P<term>[^|]+) \| `(?P<name>[^`]+)` \| (?P<meaning>[^|]+) \|")
_PARTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


class Parsed(Protocol):
    """One module of the tree; `path` is relative to its root."""

    @property
    def path(self) -> Path: ...
    @property
    def text(self) -> str: ...
    @property
    def tree(self) -> ast.Module: ...


def breaches(root: Path, sources: Sequence[Parsed]) -> Iterator[str]:
    """Every breach, as `path:line: what`."""
    product = [source for source in sources if source.path.parts[0] in PRODUCT]
    yield from class_names_are_unique(product)
    yield from private_words_stay_away(product)
    yield from glossary_is_in_step(root, product)


def class_names_are_unique(product: Sequence[Parsed]) -> Iterator[str]:
    homes: dict[str, list[str]] = defaultdict(list)
    for source in product:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(f"{source.path}:{node.lineno}")
    for name, places in sorted(homes.items()):
        for place in places[1:]:
            yield f"{place}: {places[0]} has a class {name}, too; say in its name what this one is"


def private_words_stay_away(product: Sequence[Parsed], private: Mapping[str, str] = PRIVATE) -> Iterator[str]:
    for source in product:
        if source.path.parts[0] == "migrations":
            continue  # a revision keeps its name
        for name, line in named(source):
            for word in sorted({part.lower() for part in _PARTS.findall(name)} & private.keys()):
                yield f"{source.path}:{line}: '{word}' in {name}: write {private[word]}"


def glossary_is_in_step(root: Path, product: Sequence[Parsed]) -> Iterator[str]:
    path = root / GLOSSARY
    if not path.exists():
        return
    rows = [
        (number, row)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (row := _ROW.fullmatch(line))
    ]
    if len(rows) > TERMS_MAX:
        yield f"{GLOSSARY}:{rows[TERMS_MAX][0]}: {len(rows)} terms (at most {TERMS_MAX})"
    words = {word for source in product for word in re.findall(r"\w+", source.text)}
    for number, row in rows:
        if row["name"] not in words:
            yield f"{GLOSSARY}:{number}: {row['name']} is not in the code: what is it called now?"


def named(source: Parsed) -> Iterator[tuple[str, int]]:
    """The names that a module gives, its own too, each with its line."""
    yield source.path.stem, 1
    for node in ast.walk(source.tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case _:
                pass
