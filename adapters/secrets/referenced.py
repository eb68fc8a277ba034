"""Secrets by reference: from the environment, from files, or from the secret manager through a cache."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import assert_never

from adapters.secrets.manager import KeyValueManager
from application.kernel.caching import Read, ReadThrough, Recent
from application.kernel.ports import Clock
from application.kernel.supervision import start
from domain.kernel.errors import Misconfigured, SecretUnavailable
from domain.kernel.secret import Secret
from domain.secret.reference import EnvReference, FileReference, Scope, StoredReference, secret_reference

STALE_MAX = timedelta(hours=1)
"""While the secret manager is away, what it said is used for so long."""
ENTRIES_MAX = 1_000
SIZE_MAX = 4 * 1024 * 1024
"""Characters of all entries that are kept."""

Entry = Mapping[str, Secret]


@dataclass(slots=True, kw_only=True)
class ReferencedSecrets:
    """Implements `Secrets`.

    Args:
        environ: of this process.
        read_file: the text of a file; Misconfigured: it cannot be read.
        manager: None: there is none.
        scope: what may be named; None: anything, for references in the configuration itself.
        fresh: how old an entry of the secret manager may be before it is read again.
    """

    environ: Mapping[str, str] = field(repr=False)
    read_file: Callable[[Path], str]
    manager: KeyValueManager | None
    scope: Scope | None
    clock: Clock
    fresh: timedelta
    _entries: "ReadThrough[str, Entry]" = field(init=False, repr=False)
    _reading: "dict[str, asyncio.Future[Entry]]" = field(default_factory=dict, repr=False)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        kept: Recent[str, Read[Entry]] = Recent(most=ENTRIES_MAX, size_max=SIZE_MAX)
        self._entries = ReadThrough(self.clock, kept, fresh=self.fresh, stale=max(STALE_MAX, self.fresh * 2))

    async def get(self, reference: str) -> Secret:
        """See `Secrets`."""
        named = secret_reference(reference)
        if named is None:
            raise SecretUnavailable("no reference: give env:NAME, file:PATH or secret:PATH#FIELD")
        if self.scope is not None and (refusal := self.scope.refusal(named)) is not None:
            raise SecretUnavailable(f"{reference}: {refusal}")
        try:
            match named:
                case EnvReference(name):
                    return self._variable(name)
                case FileReference(path):
                    return await asyncio.to_thread(self._file, path)
                case StoredReference(path, name):
                    return await self._stored(path, name)
                case _:
                    assert_never(named)
        except SecretUnavailable as fault:
            raise SecretUnavailable(f"{reference}: {fault}") from None

    def _variable(self, name: str) -> Secret:
        if value := self.environ.get(name):
            return Secret(value)
        raise SecretUnavailable("there is no such variable, or it is empty")

    def _file(self, name: str) -> Secret:
        try:
            path = Path(name).expanduser()
            if self.scope is not None and self.scope.folder is not None:
                folder = Path(self.scope.folder).resolve()
                path = (folder / name).resolve()
                if not path.is_relative_to(folder):
                    raise SecretUnavailable("it leads out of secrets.folder")
            text = self.read_file(path)
        except (OSError, RuntimeError, ValueError):  # a loop of links, ~ of nobody, a NUL
            raise SecretUnavailable("no file has such a name") from None
        except Misconfigured as fault:
            raise SecretUnavailable(str(fault)) from None
        if secret := text.lstrip("\ufeff").rstrip("\r\n"):
            return Secret(secret)
        raise SecretUnavailable("the file is empty")

    async def _stored(self, path: str, name: str) -> Secret:
        entry = await self._entries.get(path, lambda: self._read_once(path), _size)
        if (secret := entry.get(name)) is None:
            raise SecretUnavailable("the entry has no such field")
        return secret

    async def _read_once(self, path: str) -> Entry:
        """However many callers want an entry, it is read once."""
        reading = self._reading.get(path)
        if reading is None:
            reading = self._reading[path] = asyncio.get_running_loop().create_future()
            start("secret", self._read(path, reading), among=self._tasks)
        return await asyncio.shield(reading)

    async def _read(self, path: str, reading: "asyncio.Future[Entry]") -> None:
        try:
            reading.set_result(await self._from_manager(path))
        except SecretUnavailable as fault:
            reading.set_exception(fault)
            reading.exception()  # whoever waited may be gone
        finally:
            del self._reading[path]
            if not reading.done():
                reading.cancel()

    async def _from_manager(self, path: str) -> Entry:
        if self.manager is None:
            raise SecretUnavailable("there is no secret manager: secrets.url is not set")
        return await self.manager.read(path)


def _size(entry: Entry) -> int:
    return sum(len(name) + len(secret.reveal()) for name, secret in entry.items())
