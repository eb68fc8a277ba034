"""What documents name exists: files, symbols, other documents and their headings.

Held are README, CONTRIBUTING and everything below docs/; of the changelog, which tells history, only links.

- A relative link leads to a file, and `#heading` to a heading of it.
- A path in backticks (`application/delivery/begin.py`, `tests/faults`) exists; `<room>` and `*` stand for
  any name.
- A file name alone in backticks (`test_servers.py`) is the name of some file of the tree.
- A line of a tour, "- `path` `Symbol`, `Class.member`: words", names symbols that this file defines.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

TOPS = (
    "domain",
    "application",
    "adapters",
    "entrypoints",
    "config",
    "migrations",
    "tests",
    "docs",
    "rabbitmq",
)
HISTORY = ("CHANGELOG.md",)
GONE: frozenset[tuple[str, str]] = frozenset()
"""(document, path) of what a decision names though it is no more: it tells why it went."""

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(rf"(?:{'|'.join(TOPS)})/[\w.<>*/-]+")
_MODULE = re.compile(r"\w+\.py")
_TOUR = re.compile(r"- `(?P<path>[\w./-]+)`(?P<symbols>(?:,? `[^`]+`)+):")
_HEADING = re.compile(r"#+ (.+)")


@dataclass(frozen=True)
class Tree:
    """The files below a folder, and what they define."""

    root: Path

    @cached_property
    def files(self) -> frozenset[str]:
        """Every file of the tops and of the root itself, as a path relative to the root."""
        below = (path for top in TOPS for path in (self.root / top).rglob("*") if path.is_file())
        beside = (path for path in self.root.glob("*") if path.is_file())
        names = (path.relative_to(self.root).as_posix() for path in (*below, *beside))
        return frozenset(name for name in names if "__pycache__" not in name)

    @cached_property
    def paths(self) -> frozenset[str]:
        """The files, and the folders that have any."""
        return self.files.union(*(map(str, Path(name).parents) for name in self.files))

    @cached_property
    def documents(self) -> list[str]:
        """Those that are held, in order."""
        names = {"README.md", "CONTRIBUTING.md", *HISTORY}
        return sorted(name for name in self.files if name in names or re.fullmatch(r"docs/.*\.md", name))

    @cached_property
    def homes(self) -> Mapping[str, Sequence[str]]:
        """Symbol -> the product's modules that define it."""
        homes: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.files):
            if name.endswith(".py") and not name.startswith("tests/"):
                for symbol in defined((self.root / name).read_text(encoding="utf-8")):
                    homes[symbol].append(name)
        return homes

    def text(self, name: str) -> str:
        """Of one file."""
        return (self.root / name).read_text(encoding="utf-8")


def breaches(root: Path) -> Iterator[str]:
    """Every name in a document that leads nowhere, as `document:line: what to write instead`."""
    tree = Tree(root)
    for document in tree.documents:
        for number, line in _prose(tree.text(document)):
            faults = [*_links(tree, document, line)]
            if document not in HISTORY:
                faults += [*_paths(tree, document, line), *_symbols(tree, line)]
            yield from (f"{document}:{number}: {fault}" for fault in faults)


def defined(source: str) -> set[str]:
    """Names that a module defines: functions, classes and values, and as `Class.member` what a class has."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        for name in _names(node):
            found.add(name)
            if isinstance(node, ast.ClassDef):
                found |= {f"{name}.{member}" for item in node.body for member in _names(item)}
    return found


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=targets):
            return [each.id for each in targets if isinstance(each, ast.Name)]
        case _:
            return []


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside code blocks, numbered from 1."""
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def _links(tree: Tree, document: str, line: str) -> Iterator[str]:
    for target in _LINK.findall(line):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        path = (tree.root / document).parent / name if name else tree.root / document
        if not path.exists():
            yield f"the link to {target} leads nowhere{_hint(tree, name)}"
        elif heading and heading not in _headings(path.read_text(encoding="utf-8")):
            yield f"{name or document} has no heading #{heading}"


def _headings(text: str) -> set[str]:
    """As GitHub spells them in links."""
    found = (_HEADING.fullmatch(line) for _, line in _prose(text))
    return {re.sub(r"[^\w\- ]", "", each[1].lower()).replace(" ", "-") for each in found if each}


def _paths(tree: Tree, document: str, line: str) -> Iterator[str]:
    for code in _CODE.findall(line):
        if _MODULE.fullmatch(code):
            if not any(name.endswith(f"/{code}") for name in tree.files):
                yield f"no file is called {code}"
        elif _PATH.fullmatch(code) and (document, code) not in GONE:
            path = code.rstrip("/")
            pattern = "[^/]*".join(map(re.escape, re.split(r"<[^>]*>|\*", path)))
            if path not in tree.paths and not any(re.fullmatch(pattern, each) for each in tree.paths):
                yield f"{code} does not exist{_hint(tree, code, line)}"


def _hint(tree: Tree, path: str, line: str = "") -> str:
    """Where the symbols of a line are now, or a file of that name."""
    tour, name = _TOUR.match(line), path.rpartition("/")[2]
    symbols = _CODE.findall(tour["symbols"]) if tour else []
    there = sorted({home for symbol in symbols for home in tree.homes.get(symbol, [])})
    there = there or sorted(each for each in tree.files if each.rpartition("/")[2] == name)
    return f": did it move to {' or '.join(there)}? Change this line" if there else ""


def _symbols(tree: Tree, line: str) -> Iterator[str]:
    tour = _TOUR.match(line)
    if tour is None or tour["path"] not in tree.files:
        return  # a path that is not there is told as one
    path, text = tour["path"], tree.text(tour["path"])
    there = defined(text) if path.endswith(".py") else None
    for symbol in _CODE.findall(tour["symbols"]):
        if symbol not in (text if there is None else there):
            homes = tree.homes.get(symbol, [])
            moved = f"it is in {' or '.join(homes)}: change this line" if homes else "what is it called now?"
            yield f"{path} does not define {symbol}; {moved}"
