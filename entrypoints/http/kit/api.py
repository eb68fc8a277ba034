"""The application class and its requests: trace in and out, one event per request, bodies within bounds."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.types import Empty

from application.access.ports import ApiKey
from application.kernel import budget
from domain.kernel.channel import Mode
from entrypoints.http.kit.json_body import EMPTY, json_body
from entrypoints.http.kit.request_context import RequestContext
from entrypoints.http.problems.problem import Rejected
from entrypoints.http.server.body_memory import BodyMemory
from entrypoints.http.server.read_body import BODY_MAX, read_body
from entrypoints.http.services import HttpServices, Seen


class Api(Litestar):
    """Litestar with what goes round the routing, too.

    Middleware would miss what the router refuses, and costs more.
    """

    services: HttpServices
    contract: Callable[[], bytes]
    """The OpenAPI document, as JSON; the first call takes a quarter of a second."""
    body_memory: BodyMemory
    routed: Callable[[Mapping[str, Any]], str | None]  # as ASGI has a scope
    """The path to route by, where it is not that of the request."""
    allowed: Mapping[str, bytes]
    """By path template, what `Allow` says."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # as ASGI has it
        """Answer one ASGI connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if (path := self.routed(scope)) is not None:
            scope["path"] = path
        budget.begin()
        services = self.services
        began = services.clock.monotonic()
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
        context = RequestContext(parent, services.ids.next())
        scope.setdefault("state", {})["context"] = context

        async def answer(message: Any) -> None:  # as ASGI has it
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
                    key=scope["auth"].id if "auth" in scope else None,
                    error=context.error,
                )
            )


class ApiRequest(Request[None, ApiKey, State]):
    """What handlers get as `request`; its `auth` is the API key, which every route below /api has."""

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
    def mode(self) -> Mode:
        """Live or test, as its key is."""
        return self.auth.mode

    @property
    def actor(self) -> str:
        """Who does this, for histories: the key by its name."""
        return f"key:{self.auth.name}"

    async def body(self) -> bytes:
        """The body, not longer than the handler's `request_max_body_size`.

        Raises:
            Rejected: it is empty, or see `read_body`.
        """
        if self._body is Empty:  # Litestar asks twice
            whole = await self.read_body(self.route_handler.resolve_request_max_body_size() or BODY_MAX)
            if not whole:  # which Litestar takes for no `data`
                raise Rejected("malformed", EMPTY)
            self._body = whole
        return self._body

    async def json(self) -> Any:  # an instance of what the handler's `data` is annotated with
        """The body as Litestar gives it to the handler: strictly decoded, and refused with every fault.

        Raises:
            Rejected, Invalid: see `body` and `JsonBody.decode`.
        """
        data = self.route_handler.parsed_data_field
        return json_body(data.annotation if data else Any).decode(await self.body())  # none: any JSON

    async def read_body(self, limit: int) -> bytes:
        """The body, not longer than `limit` bytes.

        Raises:
            Rejected: see `read_body`.
        """
        return await read_body(self.scope, self.receive, limit, self.api.body_memory, self.context)
