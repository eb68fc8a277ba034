"""What handlers share."""

from typing import Any

import msgspec
from litestar import Request

from entrypoints.http.call import Call
from entrypoints.http.paging import Cursor, Limit
from entrypoints.http.services import HttpServices

Req = Request[Any, Any, Any]


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of every list."""

    limit: Limit = 50
    cursor: Cursor | None = None


class NoQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No parameters."""


def services_of(request: Req) -> HttpServices:
    """The use cases."""
    services: HttpServices = request.app.services  # type: ignore[attr-defined]
    return services


def actor_of(request: Req) -> str:
    """Who does this, for histories: the key by its name."""
    key = call_of(request).key
    if key is None:
        raise RuntimeError("a route without a key has no actor")
    return f"key:{key.name}"


def call_of(request: Req) -> Call:
    """This request's trace and key."""
    call: Call = request.scope["state"]["call"]
    return call
