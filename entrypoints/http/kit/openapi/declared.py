"""What a handler declares of itself beyond what Litestar asks for: stands in its `opt`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
from litestar.datastructures import ResponseHeader


class Access(StrEnum):
    """Who may use a route: each route says it, and a test tries each with every kind of key."""

    OPEN = "open"
    """Everybody: no key is asked for."""
    OWN = "own"
    """Both kinds of key; each sees and changes what belongs to its own mode, and nothing else is there."""
    SHARED = "shared"
    """Both kinds of key, what they read is the same; nothing is changed."""
    LIVE = "live"
    """Live keys: what is changed governs live messages."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What one operation declares."""

    access: Access
    problems: tuple[str, ...] = ()
    """Kinds it can end in, beyond those that every operation can."""
    examples: Mapping[str, Any] = field(default_factory=dict)
    """Bodies by name: a test sends each."""
    path: str | None = None
    """Where the router's own path, which knows whole segments only, does not say it all."""
    body: type | None = None
    query: type[msgspec.Struct] | None = None
    headers: tuple[str, ...] = ()
    """The three are for handlers that read the request by hand, without annotations to tell them."""

    @property
    def secured(self) -> bool:
        """Whether it asks for a key."""
        return self.access is not Access.OPEN


def declare(access: Access, **more: Any) -> dict[str, Any]:
    """`opt=declare(Access.OWN, problems=("not-found",))`: see `Declared`."""
    return {"declared": Declared(access, **more)}


def _header(name: str, description: str) -> ResponseHeader:
    return ResponseHeader(name=name, value="", documentation_only=True, description=description)


LOCATION = _header("Location", "where to find it")
ETAG = _header("ETag", "its version; send it back as `If-Match`")
LINK = _header("Link", '`rel="next"`: the next page')
IDEMPOTENCY_REPLAYED = _header("Idempotency-Replayed", "`true`: accepted earlier with this key")
