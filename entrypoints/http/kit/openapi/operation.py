"""What a handler says of itself: stands in its `opt`, and becomes its place in the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec


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


Returned = tuple[type | None, str]
"""Type of a body (None: none) and when it is returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc:
    """One operation."""

    tag: str
    summary: str
    access: Access
    path: str | None = None
    """Where the router's own path, which knows whole segments only, does not say it all."""
    description: str = ""
    body: type | None = None
    examples: Mapping[str, Any] = field(default_factory=dict)
    """Bodies by name."""
    query: type[msgspec.Struct] | None = None
    headers: tuple[str, ...] = ()
    """Request headers it looks at."""
    returns: Mapping[int, Returned] = field(default_factory=dict)
    answer_headers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """Kinds it can end in, beyond those that every operation can."""

    @property
    def secured(self) -> bool:
        """Whether it asks for a key."""
        return self.access is not Access.OPEN


def documented(**said: Any) -> dict[str, Any]:
    """`opt=documented(tag=…, …)`."""
    return {"doc": Doc(**said)}
