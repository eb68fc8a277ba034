"""URLs with a password in them."""

import re
from typing import Self

from domain.kernel.secret import MASK, Secret

_LENGTH_MAX = 2_000
_PORT_MAX = 65_535
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]*\]|[^\[\]:]*)(?::([0-9]{0,5}))?")
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<login>[^/?#\[\]]*)@)?(?P<hosts>[^/?#@]*)(?P<path>[^?#@]*)(?:\?[^#@]*)?"
)
"""One whose parts cannot be mistaken: a password with a bare / ? # @ in it could be taken for a part of the
host or the path, and be shown."""


class SecretUrl(Secret):
    """A URL whose password is masked; the rest may be seen."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL; several hosts may stand in it, with commas.

        Raises:
            ValueError: it is none; says nothing of it.
        """
        if _read(text) is None:
            raise ValueError("not a URL")
        return cls(text)

    def masked(self) -> str:
        """With the mask for the password, and without the query, which may hold one too."""
        found = _read(self._value)
        if found is None:
            return MASK
        user, colon, _ = (found["login"] or "").partition(":")
        at = "@" if found["login"] is not None else ""
        return f"{found['scheme']}://{user}{colon and colon + MASK}{at}{found['hosts']}{found['path']}"


def _read(text: str) -> re.Match[str] | None:
    found = _URL.fullmatch(text)
    if found is None or len(text) > _LENGTH_MAX or not text.isprintable() or " " in text:
        return None
    hosts = [_HOST.fullmatch(host) for host in found["hosts"].split(",")]
    sound = all(host and int(host[1] or 0) <= _PORT_MAX for host in hosts)
    return found if sound else None
