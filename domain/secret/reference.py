"""References to secrets: where a password or key is kept, instead of the password or key itself.

env:NAME              an environment variable
file:/path            a file; a last line end is no part of the secret
secret:path#field     a field of an entry of the secret manager
"""

import re
from typing import assert_never

import msgspec

LENGTH_MAX = 500
_ENV = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_FILE = re.compile(r"file:(.+)")
_SEGMENT = r"(?!\.{1,2}(?:/|#))[A-Za-z0-9_.@~=-]+"
_STORED = re.compile(rf"secret:({_SEGMENT}(?:/{_SEGMENT})*)#([A-Za-z0-9_.@-]+)")


class EnvReference(msgspec.Struct, frozen=True):
    """A variable of this process's environment."""

    name: str


class FileReference(msgspec.Struct, frozen=True):
    """A file of this machine."""

    path: str


class StoredReference(msgspec.Struct, frozen=True):
    """A field of an entry of the secret manager."""

    path: str
    """Segments with / between them; none is `.` or `..`."""
    field: str


SecretReference = EnvReference | FileReference | StoredReference


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which secrets a reference may name that comes from outside the configuration.

    Whoever may describe a provider over the API chooses where its secrets are sent: without these bounds
    any secret of the process could be sent anywhere.
    """

    env_prefix: str | None = None
    """Variables whose names begin so; None: none."""
    folder: str | None = None
    """Files in this folder, named relative to it; None: none."""
    path_prefix: str | None = None
    """Entries of the secret manager below this path; None: none."""

    def refusal(self, reference: SecretReference) -> str | None:
        """Why a reference may not be used; None: it may."""
        match reference:
            case EnvReference(name):
                return _outside("variables whose names begin with", self.env_prefix, name)
            case FileReference(path):
                if path.startswith("/") or ".." in path.split("/"):
                    return "files are named relative to secrets.folder"
                return None if self.folder is not None else "no files may be named: secrets.folder is not set"
            case StoredReference(path):
                prefix = None if self.path_prefix is None else f"{self.path_prefix.strip('/')}/"
                return _outside("entries below", prefix, path)
            case _:
                assert_never(reference)


def secret_reference(text: str) -> SecretReference | None:
    """Read a reference; None: the text is none."""
    if len(text) > LENGTH_MAX or not text.isprintable():
        return None
    if found := _ENV.fullmatch(text):
        return EnvReference(found[1])
    if found := _STORED.fullmatch(text):
        return StoredReference(found[1], found[2])
    if found := _FILE.fullmatch(text):
        return FileReference(found[1])
    return None


def _outside(what: str, prefix: str | None, name: str) -> str | None:
    if prefix is not None and name.startswith(prefix):
        return None
    return f"only {what} {prefix} may be named" if prefix is not None else "none of this sort may be named"
