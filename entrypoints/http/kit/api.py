"""The application class and its requests: trace in and out, one event per request, bodies within bounds."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from litestar import Litestar, Request
from litestar.datastructures import State

from application.access.ports import ApiKey
from application.kernel import budget
from domain.kernel.channel import Mode
from entrypoints.http.kit.json_body import EMPTY
from entrypoints.http.kit.request_context import RequestContext
from entrypoints.http.kit.services import HttpServices, Seen
from entrypoints.http.problems.problem import Rejected
from entrypoints.http.server.body_memory import BodyMemory
from entrypoints.http.server.read_body import BODY_MAX, read_body


class Api(Litestar):
    """Litestar with what goes round the routing, too.

    Middleware would miss what the router refuses, and costs more.
    """

    services: HttpServices
    contract: Callable[[], bytes]
    """The OpenAPI document, as JSON; the first call takes a quarter of a second."""
    body_memory: BodyMemory
    allowed: Mapping[str, bytes]
    """By path template, what `Allow` says."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # as ASGI has it
        """Answer one ASGI connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        budget.begin()
        services = self.services
        began = services.clock.monotonic()
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
        context = RequestContext(parent, services.ids.next())
        scope.setdefault("state", {})["context"] = context

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                context.status = message["status"]
                if scope["method"] == "OPTIONS" and context.status == 204:
                    # Litestar tells only of the first handler it was given for a path.
                    message["headers"] = [(b"allow", self.allowed[scope["path_template"]])]
                message["headers"] = [
                    *message["headers"],
                    (b"traceparent", context.traceparent.encode()),
                    (b"x-request-id", context.trace_id.encode()),
                ]
            await send(message)

        try:
            await super().__call__(scope, receive, answer)
        finally:
            self.body_memory.release(context)
            services.observe(
                Seen(
                    method=scope["method"],
                    route=scope.get("path_template"),
                    status=context.status,
                    seconds=services.clock.monotonic() - began,
                    trace_id=context.trace_id,
                    key=context.key.id if context.key else None,
                    error=context.error,
                )
            )


class ApiRequest(Request[None, ApiKey, State]):
    """What handlers get as `request`."""

    @property
    def api(self) -> Api:
        """The application that answers it."""
        return cast("Api", self.scope["litestar_app"])

    @property
    def context(self) -> RequestContext:
        """Its trace, its key and what is known of its answer."""
        context: RequestContext = self.scope["state"]["context"]
        return context

    @property
    def services(self) -> HttpServices:
        """The use cases it may call."""
        return self.api.services

    @property
    def api_key(self) -> ApiKey:
        """The key it came with; routes behind `access.require_key` always have one."""
        key = self.context.key
        if key is None:
            raise RuntimeError("a route without a key has none")
        return key

    @property
    def mode(self) -> Mode:
        """Live or test, as its key is."""
        return self.api_key.mode

    @property
    def actor(self) -> str:
        """Who does this, for histories: the key by its name."""
        return f"key:{self.api_key.name}"

    async def body(self) -> bytes:
        """The body, not longer than the handler's `request_max_body_size`; Litestar reads `data` by this.

        Raises:
            Rejected: it is empty, or see `read_body`.
        """
        whole = await self.read_body(self.route_handler.resolve_request_max_body_size() or BODY_MAX)
        if not whole:  # which Litestar takes for no `data`
            raise Rejected("malformed", EMPTY)
        return whole

    async def read_body(self, limit: int) -> bytes:
        """The body, not longer than `limit` bytes.

        Raises:
            Rejected: see `read_body`.
        """
        return await read_body(self.scope, self.receive, limit, self.api.body_memory, self.context)
