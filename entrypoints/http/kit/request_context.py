"""What is known of one request while it is answered: its trace, its query, its answer."""

import re
from typing import Any
from uuid import UUID

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
_LOW_64 = (1 << 64) - 1


class RequestContext:
    """Stands in `scope["state"]["context"]` for as long as the request lasts."""

    __slots__ = ("error", "held", "params", "status", "trace_id", "traceparent")

    def __init__(self, traceparent: bytes | None, fresh: UUID) -> None:
        """Join the caller's trace, or begin one; `fresh` becomes this span's id and a new trace's."""
        found = _TRACEPARENT.match(traceparent.decode("latin-1")) if traceparent else None
        flags = found[2] if found else "00"
        self.trace_id: str = found[1] if found else fresh.hex
        self.traceparent = f"00-{self.trace_id}-{fresh.int & _LOW_64:016x}-{flags}"
        """W3C Trace Context: this request is the parent of what follows."""
        self.params: Any = None  # an instance of what the handler's `params` is annotated with
        """The query string, once it is read: see `query.read_params`."""
        self.status = 0
        """0: not answered yet."""
        self.held = 0
        """Bytes of `BodyMemory` that its body takes."""
        self.error: Exception | None = None
        """What was answered as a problem."""
