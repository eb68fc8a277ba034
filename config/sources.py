"""Where settings come from: file, environment, secret files, flags; later ones win.

Every source becomes the same tree: nested dicts whose leaves are `Given`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from domain.kernel.errors import Misconfigured

PREFIX = "POSTHORN_"
DEFAULT_FILE = Path("posthorn.toml")
ALIASES = {"POSTHORN_SANDBOX_LEDGER": "sandbox.ledger"}
"""Names from before the rule; they stay."""
_FILE = "_FILE"


class Given(msgspec.Struct, frozen=True):
    """A value as somebody gave it, and where it stands."""

    value: Any
    source: str


Tree = dict[str, "Given | Tree"]


def gather(environ: Mapping[str, str], path: Path | None, flags: Mapping[str, Given]) -> Tree:
    """All sources in one tree.

    Args:
        path: the file a flag names; None: POSTHORN_CONFIG, else ./posthorn.toml if it is there.
        flags: dotted key → what a flag gives.

    Raises:
        Misconfigured: a file cannot be read.
    """
    tree: Tree = {}
    from_flags = ((key.split("."), given) for key, given in flags.items())
    for key, given in (*_file(environ, path), *_environment(environ), *from_flags):
        _put(tree, key, given)
    return tree


def env_name(key: str) -> str:
    """The environment variable of a dotted key."""
    return PREFIX + key.upper().replace(".", "__")


def _file(environ: Mapping[str, str], path: Path | None) -> Iterator[tuple[list[str], Given]]:
    named = path or (Path(environ["POSTHORN_CONFIG"]) if environ.get("POSTHORN_CONFIG") else None)
    file = named or DEFAULT_FILE
    if named is None and not file.exists():
        return
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as fault:
        raise Misconfigured(f"the configuration file {file} cannot be read: {fault.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise Misconfigured(f"the configuration file {file} is not TOML: {fault}") from None
    yield from _leaves(table, [], str(file))


def _leaves(table: Mapping[str, Any], above: list[str], source: str) -> Iterator[tuple[list[str], Given]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, [*above, name], source)
        else:
            yield [*above, name], Given(value, source)


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[list[str], Given]]:
    """Secret files come behind all plain variables: they win."""
    plain, files = [], []
    for name, value in sorted(environ.items()):
        key = ALIASES.get(name) or _dotted(name)
        if key is None:
            continue
        if name.endswith(_FILE):
            files.append(
                (key.removesuffix(_FILE.lower()).split("."), Given(_secret(name, value), f"{name} ({value})"))
            )
        else:
            plain.append((key.split("."), Given(value, name)))
    yield from plain
    yield from files


def _dotted(name: str) -> str | None:
    """`POSTHORN_DB__URL` → `db.url`; variables without a double underscore are not settings."""
    if not name.startswith(PREFIX) or "__" not in name:
        return None
    return name.removeprefix(PREFIX).lower().replace("__", ".")


def _secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as fault:
        raise Misconfigured(f"{name} names {path}, which cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{name} names {path}, which is not text (UTF-8)") from None


def _put(tree: Tree, key: list[str], given: Given) -> None:
    at = tree
    for name in key[:-1]:
        below = at.get(name)
        if not isinstance(below, dict):
            below = at[name] = {}
        at = below
    at[key[-1]] = given
