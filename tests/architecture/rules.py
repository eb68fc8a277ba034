"""House rules that no linter knows: sizes, docstrings, allowed imports, nothing unfinished, no naps in tests.

Those of the tree as a whole have modules of their own: `rooms`, `documents`, `names`.

`python -m tests.architecture.rules` prints every breach and fails when there is one; `make check` runs it.
The caps are on the tail: most modules should stay far below.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.architecture import documents, names, rooms

PRODUCT = ("domain", "application", "adapters", "entrypoints", "config", "migrations")
MODULE_LINES_MAX = 250
FUNCTION_LINES_MAX = 50
PORT_METHODS_MAX = 4
PURE_IMPORTS = frozenset({"msgspec", "domain", "application"})
OWNERS_OF_TASKS = frozenset(
    {
        "application/kernel/supervision.py",  # the one place
        "entrypoints/engine/consumer/batch_consumer.py",  # waits for a set of them, raises what they raised
    }
)
_DATABASE = "adapters.postgres.core.database"
MAY_BE_PATCHED = frozenset(
    {
        # How a pool connects, waits and tries again is one rule for every process: nobody gives it another.
        f"tests/contract/test_acceptance.py {_DATABASE}.TRIES",
        f"tests/contract/test_deliveries.py {_DATABASE}.TRIES",
        f"tests/integration/postgres/test_database.py {_DATABASE}.WAIT_MAX",
        f"tests/integration/connections/test_postgres.py {_DATABASE}.CONNECT_MAX",
        # So is the bound of the templates kept in memory.
        "tests/unit/template/test_cached.py application.template.cached.KEPT_MAX",
    }
)
"""What a test may patch all the same: the test's path and the name."""
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b")


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed module; `path` is relative to the tree's root."""

    path: Path
    text: str
    tree: ast.Module


def read(root: Path) -> list[Source]:
    """Every module of the product and of its tests, below `root`."""
    paths = chain.from_iterable(sorted((root / top).rglob("*.py")) for top in (*PRODUCT, "tests"))
    texts = ((path, path.read_text(encoding="utf-8")) for path in paths)
    return [Source(path.relative_to(root), text, ast.parse(text, str(path))) for path, text in texts]


def breaches(root: Path) -> list[str]:
    """Every breach of every rule, as `path:line: what`."""
    sources = read(root)
    return [
        *sorted(chain.from_iterable(rule(source) for source in sources for rule in RULES)),
        *(
            f"{folder}: has modules but no __init__.py, so the import contracts cannot see it"
            for folder in sorted({source.path.parent for source in sources if _is_product(source)})
            if not (root / folder / "__init__.py").exists()
        ),
        *rooms.breaches(root),
        *documents.breaches(root),
        *names.breaches(root, sources),
    ]


def modules_are_small(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if _is_product(source) and lines > MODULE_LINES_MAX:
        yield f"{source.path}:1: module of {lines} lines (at most {MODULE_LINES_MAX})"


def functions_are_small(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree) if _is_product(source) else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield _at(source, node, f"{node.name} has {lines} lines (at most {FUNCTION_LINES_MAX})")


def ports_are_narrow(source: Source) -> Iterator[str]:
    if source.path.parts[0] != "application" or source.path.name != "ports.py":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases):
            methods = sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body)
            if methods > PORT_METHODS_MAX:
                yield _at(source, node, f"{node.name} has {methods} methods (at most {PORT_METHODS_MAX})")


def modules_say_what_they_are(source: Source) -> Iterator[str]:
    if source.tree.body and not ast.get_docstring(source.tree):
        yield f"{source.path}:1: no module docstring"


def inner_floors_import_nothing_else(source: Source) -> Iterator[str]:
    """Domain and application: the standard library, msgspec, each other: a list of what may be."""
    if source.path.parts[0] not in {"domain", "application"}:
        return
    for node, name in _imports(source.tree):
        top = name.partition(".")[0]
        if top not in PURE_IMPORTS and top not in sys.stdlib_module_names:
            yield _at(source, node, f"imports {top}; only the standard library and msgspec may be")


def nothing_is_unfinished(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := UNFINISHED.search(line):
            yield f"{source.path}:{number}: {found[0]}"


def tests_do_not_sleep(source: Source) -> Iterator[str]:
    """Tests wait with `eventually`; support and benches may measure time.  `sleep(0)` only yields."""
    if source.path.parts[0] != "tests" or source.path.parts[1] in {"support", "bench"}:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and re.fullmatch(
            r"(\w+\.)?sleep\((?!0\)).*\)", ast.unparse(node), re.DOTALL
        ):
            yield _at(source, node, "sleeps; wait with tests.support.eventually")


def tests_patch_nothing(source: Source) -> Iterator[str]:
    """What a test varies is an argument or a field of what it tests; see `MAY_BE_PATCHED`."""
    for node in ast.walk(source.tree) if source.path.parts[0] == "tests" else ():
        if isinstance(node, ast.Call) and re.search(
            r"monkeypatch\.(setattr|setitem)\Z", ast.unparse(node.func)
        ):
            named = ast.unparse(node.args[0]).strip("'\"")
            if f"{source.path.as_posix()} {named}" not in MAY_BE_PATCHED:
                yield _at(source, node, f"patches {named}; make it an argument or a field of what is tested")


def tasks_are_looked_after(source: Source) -> Iterator[str]:
    """A task that nobody awaits can die without a word: only supervision makes such ones.

    Where a task is made it is bound to a name that the same function awaits, or belongs to a group, in which
    one that a library cancels would be missed by nobody but for `uncancelled`.
    """
    if not _is_product(source) or source.path.as_posix() in OWNERS_OF_TASKS:
        return
    parents = {child: node for node in ast.walk(source.tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(source.tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in {"create_task", "ensure_future"} and not _is_awaited(node, parents):
            yield _at(source, node, "a task that nobody awaits here; see application.kernel.supervision")


def patterns_end_at_the_end(source: Source) -> Iterator[str]:
    """In Python `$` matches before a last line end, too: write `\\Z`, or use `fullmatch`."""
    for node in ast.walk(source.tree) if _is_product(source) else ():
        if isinstance(node, ast.Call):
            compiled = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "re"
            patterns = [each.value for each in node.keywords if each.arg == "pattern"]
            for given in (*patterns, *(node.args[:1] if compiled else ())):
                if re.search(r"(?<!\\)\$['\"]\Z", ast.unparse(given)):
                    yield _at(source, node, "a pattern that ends in $ lets a line end through")


def any_has_a_reason(source: Source) -> Iterator[str]:
    """`Any` switches the type checker off: a comment on its line says why nothing narrower will do."""
    lines = source.text.splitlines()
    for node in ast.walk(source.tree) if _is_product(source) else ():
        if isinstance(node, ast.Name) and node.id == "Any" and "  # " not in lines[node.lineno - 1]:
            yield _at(
                source, node, "Any without a reason: use object, Json or a type, or say why in a comment"
            )


def providers_are_not_overridden(source: Source) -> Iterator[str]:
    """What stands behind a port is said where the container is made; tests may put something else there."""
    path = source.path.as_posix()
    if not _is_product(source) or path.startswith("entrypoints/demo/") or path == "config/wiring/rooms.py":
        return
    for node in ast.walk(source.tree):
        method = node.func if isinstance(node, ast.Call) else None
        if isinstance(method, ast.Attribute) and method.attr in {"override", "set_provides"}:
            yield _at(source, method, "overrides a provider; say it in config/wiring")


RULES = (
    any_has_a_reason,
    providers_are_not_overridden,
    tasks_are_looked_after,
    patterns_end_at_the_end,
    modules_are_small,
    functions_are_small,
    ports_are_narrow,
    modules_say_what_they_are,
    inner_floors_import_nothing_else,
    nothing_is_unfinished,
    tests_do_not_sleep,
    tests_patch_nothing,
)


def _is_awaited(made: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    call = parents[made]
    if not isinstance(call, ast.Call) or call.func is not made:
        return False
    function: ast.AST = call
    while function in parents and not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        function = parents[function]
    inside = list(ast.walk(function))
    if isinstance(made, ast.Attribute):
        groups = {
            ast.unparse(item.optional_vars)
            for node in inside
            if isinstance(node, ast.AsyncWith)
            for item in node.items
            if item.optional_vars and ast.unparse(item.context_expr).endswith("TaskGroup()")
        }
        if ast.unparse(made.value) in groups:
            return ast.unparse(call.args[0]).startswith("uncancelled(")
    binding = parents[call]
    if not isinstance(binding, ast.Assign):
        return False
    name = re.compile(rf"(?<![\w.]){re.escape(ast.unparse(binding.targets[0]))}(?![\w.])")
    return any(isinstance(node, ast.Await) and name.search(ast.unparse(node)) for node in inside)


def _is_product(source: Source) -> bool:
    return source.path.parts[0] in PRODUCT


def _at(source: Source, node: ast.stmt | ast.expr, what: str) -> str:
    return f"{source.path}:{node.lineno}: {what}"


def _imports(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, node.module or ""


if __name__ == "__main__":
    found = breaches(Path.cwd())
    print(*found, f"house rules: {len(found)} breaches", sep="\n")
    sys.exit(bool(found))
