"""Where settings come from: file, environment, secret files, flags; later ones win.

Every source becomes the same tree: nested dicts whose leaves are `Given`.
"""

import tomllib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import msgspec

from domain.kernel.errors import Misconfigured

PREFIX = "POSTHORN_"
DEFAULT_FILE = Path("posthorn.toml")
ALIASES = {"POSTHORN_SANDBOX_LEDGER": "sandbox.ledger"}
"""Variables that are older than the rule of names, and stay."""
_FILE = "_FILE"
_FILE_MAX = 1 << 20
PIPE_MAX = 10.0
"""Seconds to wait for who writes to a pipe."""


class Given(msgspec.Struct, frozen=True):
    """A value as it was given, and its source for messages."""

    value: Any  # of TOML, a text, or what a flag gives
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
        table = tomllib.loads(read_text(file, f"the configuration file {file}"))
        leaves = list(_leaves(table, [], str(file)))
    except (ValueError, RecursionError) as fault:
        raise Misconfigured(f"the configuration file {file} is not TOML: {fault}") from None
    yield from leaves


def _leaves(table: Mapping[str, object], above: list[str], source: str) -> Iterator[tuple[list[str], Given]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, [*above, name], source)
        else:
            yield [*above, name], Given(_bare(value), source)


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[list[str], Given]]:
    """Secret files come behind all plain variables: they win."""
    plain, files = [], []
    for name, value in sorted(environ.items()):
        key = ALIASES.get(name) or _dotted(name)
        if key is None:
            continue
        if name.endswith(_FILE):
            files.append(
                (
                    key.removesuffix(_FILE.lower()).split("."),
                    Given(_bare(read_text(Path(value), f"{name}: the file {value}")), f"{name} ({value})"),
                )
            )
        else:
            plain.append((key.split("."), Given(_bare(value), name)))
    yield from plain
    yield from files


def _dotted(name: str) -> str | None:
    """`POSTHORN_DB__URL` → `db.url`; variables without a double underscore are not settings."""
    if not name.startswith(PREFIX) or "__" not in name:
        return None
    return name.removeprefix(PREFIX).lower().replace("__", ".")


def read_text(path: Path, what: str, *, pipe_max: float = PIPE_MAX) -> str:
    """A file as text, whatever byte order mark an editor put in front.

    Args:
        what: the file, for the error.
        pipe_max: seconds to wait for whoever writes to it, when it is a pipe.

    Raises:
        Misconfigured: it cannot be read, is too large or no text.
    """
    try:
        octets = _octets(path, pipe_max)
    except TimeoutError:
        raise Misconfigured(f"{what} cannot be read: it is a pipe, and nobody ends writing to it") from None
    except OSError as fault:
        raise Misconfigured(f"{what} cannot be read: {fault.strerror}") from None
    except ValueError:  # a NUL in its name
        raise Misconfigured(f"{what} cannot be read: no file has such a name") from None
    if len(octets) > _FILE_MAX:
        raise Misconfigured(f"{what} is too large: more than {_FILE_MAX // 1024:,} KiB")
    try:
        return octets.decode("utf-16" if octets[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig")
    except UnicodeDecodeError:
        raise Misconfigured(f"{what} is not text (UTF-8)") from None


def _octets(path: Path, pipe_max: float) -> bytes:
    """All bytes of a file, or one more than is allowed.  Pipes are read in a thread: opening one may block.

    Args:
        pipe_max: seconds to wait for the end of what a pipe gives.

    Raises:
        TimeoutError, OSError: it cannot be read.
    """
    if not path.is_fifo():
        with path.open("rb") as file:
            return file.read(_FILE_MAX + 1)
    read: SimpleQueue[bytes | OSError] = SimpleQueue()

    def wait() -> None:
        try:
            with path.open("rb") as pipe:
                read.put(pipe.read(_FILE_MAX + 1))
        except OSError as fault:
            read.put(fault)

    Thread(target=wait, daemon=True).start()
    try:
        octets = read.get(timeout=pipe_max)
    except Empty:
        raise TimeoutError from None
    if isinstance(octets, OSError):
        raise octets
    return octets


def _bare(value: object) -> Any:  # of TOML or text
    """A text without byte order mark and line end, which editors add and which are no part of a value."""
    return value.lstrip("\ufeff").rstrip("\r\n") if isinstance(value, str) else value


def _put(tree: Tree, key: list[str], given: Given) -> None:
    at = tree
    for name in key[:-1]:
        below = at.get(name)
        if not isinstance(below, dict):
            below = at[name] = {}
        at = below
    at[key[-1]] = given
