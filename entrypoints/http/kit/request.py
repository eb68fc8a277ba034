"""One request: its trace, its API key, and the use cases it may call."""

import re
from typing import Any
from uuid import UUID

from litestar import Request

from application.access.ports import ApiKey
from domain.kernel.channel import Mode
from entrypoints.http.kit.services import HttpServices

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
_LOW_64 = (1 << 64) - 1


class Call:
    """Stands in `scope["state"]["call"]` for as long as the request lasts."""

    __slots__ = ("error", "held", "key", "status", "trace_id", "traceparent")

    def __init__(self, traceparent: bytes | None, fresh: UUID) -> None:
        """Join the caller's trace, or begin one; `fresh` becomes this span's id and a new trace's."""
        found = _TRACEPARENT.match(traceparent.decode("latin-1")) if traceparent else None
        flags = found[2] if found else "00"
        self.trace_id: str = found[1] if found else fresh.hex
        self.traceparent = f"00-{self.trace_id}-{fresh.int & _LOW_64:016x}-{flags}"
        """W3C Trace Context: this request is the parent of what follows."""
        self.key: ApiKey | None = None
        self.status = 0
        self.held = 0
        """See `BodyMemory`."""
        self.error: Exception | None = None

    @property
    def mode(self) -> Mode:
        """Of the key.  Handlers below the guard always have one."""
        if self.key is None:
            raise RuntimeError("a route without a key has no mode")
        return self.key.mode


Req = Request[Any, Any, Any]


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
