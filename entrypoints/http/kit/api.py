"""The outermost layer, round the routing too: trace in and out, one event per request."""

from collections.abc import Mapping
from typing import Any

from litestar import Litestar

from application.kernel import budget
from entrypoints.http.kit.body_memory import BodyMemory
from entrypoints.http.kit.request import Call
from entrypoints.http.kit.services import HttpServices, Seen


class Api(Litestar):
    """Litestar with its edge.  Middleware would miss what the router refuses, and costs more."""

    services: HttpServices
    contract: bytes
    """OpenAPI, as JSON."""
    body_memory: BodyMemory
    """For bodies."""
    allowed: Mapping[str, bytes]
    """By path template, what `Allow` says."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one ASGI connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        budget.begin()
        services = self.services
        began = services.clock.monotonic()
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
        call = Call(parent, services.ids.next())
        scope.setdefault("state", {})["call"] = call

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                if scope["method"] == "OPTIONS" and call.status == 204:
                    # Litestar tells only of the first handler it was given for a path.
                    message["headers"] = [(b"allow", self.allowed[scope["path_template"]])]
                message["headers"] = [
                    *message["headers"],
                    (b"traceparent", call.traceparent.encode()),
                    (b"x-request-id", call.trace_id.encode()),
                ]
            await send(message)

        try:
            await super().__call__(scope, receive, answer)
        finally:
            self.body_memory.release(call)
            services.observe(
                Seen(
                    method=scope["method"],
                    route=scope.get("path_template"),
                    status=call.status,
                    seconds=services.clock.monotonic() - began,
                    trace_id=call.trace_id,
                    key=call.key.id if call.key else None,
                    error=call.error,
                )
            )
