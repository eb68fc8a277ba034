"""What a handler declares of itself beyond what Litestar asks for: stands in its `opt`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar.datastructures import ResponseHeader
from litestar.handlers import BaseRouteHandler

from domain.kernel.json_values import Json


@dataclass(frozen=True, slots=True)
class Declared:
    """What one operation declares."""

    problems: tuple[str, ...] = ()
    """Kinds it can end in, beyond those that every operation can."""
    examples: Mapping[str, Json] = field(default_factory=dict)
    """Bodies by name: a test sends each."""
    path: str | None = None
    """Where the router's own path, which knows whole segments only, does not say it all."""
    body: type | None = None
    query: type[msgspec.Struct] | None = None
    headers: tuple[Mapping[str, Json], ...] = ()
    """The three are for handlers that read the request by hand, without annotations to tell them."""


def declare(**declared: Any) -> dict[str, Any]:  # members of Declared, by name
    """`opt=declare(problems=("not-found",))`: see `Declared`."""
    return {"declared": Declared(**declared)}


def declared_by(handler: BaseRouteHandler) -> Declared:
    """What a handler declares; nothing, if it says nothing."""
    declared: Declared = handler.opt.get("declared", _NOTHING)
    return declared


_NOTHING = Declared()


def _header(name: str, description: str) -> ResponseHeader:
    return ResponseHeader(name=name, value="", documentation_only=True, description=description)


LOCATION = _header("Location", "where to find it")
ETAG = _header("ETag", "its version; send it back as `If-Match`")
LINK = _header("Link", '`rel="next"`: the next page')
IDEMPOTENCY_REPLAYED = _header("Idempotency-Replayed", "`true`: accepted earlier with this key")
