"""What a handler says of itself: stands in its `opt`, and becomes its place in the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

Returned = tuple[type | None, str]
"""Type of a body (None: none) and when it is returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc:
    """One operation."""

    tag: str
    summary: str
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
    secured: bool = True


def documented(**said: Any) -> dict[str, Any]:
    """`opt=documented(tag=…, …)`."""
    return {"doc": Doc(**said)}
