"""The tree keeps the house rules, and each rule catches what it is there for."""

from pathlib import Path

import pytest

from tests.architecture.rules import MAY_BE_PATCHED, PRODUCT, breaches

ROOT = Path(__file__).parents[2]

OK = '"""Docstring."""\n'
BREAKING = {
    "module of 251 lines": ("domain/kernel/long.py", OK + "\n" * 250),
    "f has 51 lines": ("config/long.py", OK + "def f():\n" + "    pass\n" * 50),
    "g has 51 lines": ("config/long.py", OK + "class C:\n    async def g():\n" + "        pass\n" * 50),
    "Wide has 5 methods": (
        "application/job/ports.py",
        OK + "class Wide(Protocol):\n" + "".join(f"    async def m{n}(self): ...\n" for n in range(5)),
    ),
    "no module docstring": ("adapters/mute.py", "x = 1\n"),
    "imports leftpad": ("domain/kernel/greedy.py", OK + "def f():\n    import leftpad\n"),
    "imports requests": ("application/job/greedy.py", OK + "from requests.api import get\n"),
    "TO" + "DO": ("entrypoints/later.py", OK + "# TO" + "DO: write it\n"),
    "NotImplemented" + "Error": ("tests/unit/later.py", OK + "raise NotImplemented" + "Error\n"),
    "lets a line end": ("config/open.py", OK + 'X = re.compile(r"^a$")\n'),
    "a pattern that ends in $": ("config/open.py", OK + 'X = Meta(pattern=r"^a$")\n'),
    "patches config.load": (
        "tests/unit/test_patched.py",
        OK + "def test(monkeypatch):\n    monkeypatch.setattr(config.load, 'MAX', 1)\n",
    ),
    "patches config.sources.MAX": (
        "tests/unit/test_patched.py",
        OK + "def test(monkeypatch):\n    monkeypatch.setattr('config.sources.MAX', 1)\n",
    ),
    "sleeps": ("tests/unit/test_slow.py", OK + "async def f():\n    await asyncio.sleep(0.1)\n"),
    "that nobody awaits here": (
        "adapters/alone.py",
        OK + "def f(self):\n    self.keeper = create_task(g())\n",
    ),
    "nobody awaits here; see": ("config/alone.py", OK + "async def f():\n    asyncio.create_task(g())\n"),
    "awaits here; see application": (
        "entrypoints/alone.py",
        OK + "async def f():\n    task = loop.create_task(g())\n    await other_task\n",
    ),
    "a task that nobody": (
        "adapters/handed.py",
        OK + "def f():\n    return map(asyncio.ensure_future, all)\n",
    ),
    "task that nobody": (
        "entrypoints/grouped.py",
        OK + "async def f():\n    async with TaskGroup() as group:\n        group.create_task(g())\n",
    ),
    "Any without a reason": ("config/loose.py", OK + "def f(x: Any) -> None: ...\n"),
    "overrides a provider": (
        "entrypoints/late.py",
        OK + "def f(container):\n    container.kernel.clock.override(g())\n",
    ),
    "no __init__.py": ("adapters/hidden/module.py", OK),
    "a folder that is no room": ("domain/misc/rules.py", OK),
    "domain/gone.py does not exist": ("README.md", "See `domain/gone.py`.\n"),
    "has a class Twin, too": ("config/twins.py", OK + "class Twin: ...\nclass Other:\n    class Twin: ...\n"),
    "'mirrored' in mirrored_user": ("config/old.py", OK + "mirrored_user = 1\n"),
    "Gone is not in the code": ("docs/glossary.md", "| gone | `Gone` | nothing |\n"),
}
ALLOWED = {
    "domain/kernel/exact.py": OK + "\n" * 249,
    "config/exact.py": OK + "def f():\n" + "    pass\n" * 49,
    "application/job/ports.py": OK
    + "class Narrow(Protocol):\n"
    + "".join(f"    def m{n}(self): ...\n" for n in range(4)),
    "domain/kernel/pure.py": OK + "import datetime\nimport msgspec\nfrom domain.kernel import ids\n",
    "tests/unit/test_yield.py": OK + "async def f():\n    await asyncio.sleep(0)\n",
    "tests/unit/test_environment.py": OK + "def test(monkeypatch):\n    monkeypatch.setenv('A', '1')\n",
    "tests/contract/test_deliveries.py": OK
    + "def test(monkeypatch):\n    monkeypatch.setattr('adapters.postgres.core.database.TRIES', 1)\n",
    "tests/bench/timed.py": OK + "async def f():\n    await asyncio.sleep(20)\n",
    "config/awaited.py": OK
    + "async def f():\n    task = asyncio.create_task(g())\n    await asyncio.wait([task], timeout=1)\n",
    "config/grouped.py": OK
    + "async def f():\n    async with TaskGroup() as group:\n        group.create_task(uncancelled(g()))\n",
    "entrypoints/demo/watched_ports.py": OK + "def f(container):\n    container.kernel.clock.override(g())\n",
    "config/shut.py": OK + 'X = re.compile(r"^a\\Z|b\\$")\nY = Meta(pattern=rf"^{X}\\Z")\n',
    "config/reasoned.py": OK + "def f(x: Any) -> None: ...  # as the library has it\n",
    "config/empty/__init__.py": "",
}


def test_the_tree_keeps_the_house_rules() -> None:
    assert breaches(ROOT) == []


@pytest.mark.parametrize("what", BREAKING)
def test_a_breach_is_found(what: str, tmp_path: Path) -> None:
    path, text = BREAKING[what]
    _plant(tmp_path, {path: text})
    found = breaches(tmp_path)
    assert len(found) == 1
    assert what in found[0]
    assert found[0].startswith((f"{path}:", f"{Path(path).parent}: "))


def test_what_just_keeps_within_the_rules_passes(tmp_path: Path) -> None:
    _plant(tmp_path, ALLOWED)
    assert breaches(tmp_path) == []


def test_every_exception_is_needed() -> None:
    for path, name in (each.split() for each in MAY_BE_PATCHED):
        assert f'setattr("{name}"' in (ROOT / path).read_text()


def test_every_top_level_folder_with_modules_is_held_to_the_rules() -> None:
    tops = {path.parent.name for path in ROOT.glob("*/*.py") if not path.parent.name.startswith(".")}
    assert tops <= {*PRODUCT, "tests"}


def _plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.suffix == ".py" and "hidden" not in name and not (path.parent / "__init__.py").exists():
            (path.parent / "__init__.py").write_text("")
