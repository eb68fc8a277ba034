"""For load balancers and Prometheus: open to everybody who reaches the port."""

from typing import Literal

import msgspec
from litestar import route
from litestar.types import ControllerRouterHandler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from entrypoints.http.kit.answers import Answer, encode
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.request import Req, services_of
from entrypoints.http.kit.services import Readiness

_ALIVE = b'{"alive":true}'
_METHODS: list[Literal["GET", "HEAD"]] = ["GET", "HEAD"]


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The event loop turns."""

    alive: bool


@route(
    "/livez",
    http_method=_METHODS,
    opt=documented(
        tag="Health",
        summary="Does the process live?",
        description="Looks at nothing else: a process is not killed because its database is away.",
        returns={200: (Alive, "It does")},
        access=Access.OPEN,
    ),
)
async def livez() -> Answer:
    """The loop turned: that is all."""
    return Answer(200, _ALIVE, [(b"cache-control", b"no-store")])


@route(
    "/readyz",
    http_method=_METHODS,
    opt=documented(
        tag="Health",
        summary="Should requests come here?",
        description="False while draining, and when neither database nor broker can be reached.",
        returns={200: (Readiness, "Yes"), 503: (Readiness, "No; `parts` says why")},
        access=Access.OPEN,
    ),
)
async def readyz(request: Req) -> Answer:
    """Every part's state."""
    state = await services_of(request).readiness()
    return Answer(200 if state.ready else 503, encode(state), [(b"cache-control", b"no-store")])


@route(
    "/metrics",
    http_method=_METHODS,
    opt=documented(
        tag="Health",
        summary="Metrics for Prometheus",
        description="No label names a user: keep it inside the network all the same.",
        returns={200: (str, "Text exposition format")},
        access=Access.OPEN,
    ),
)
async def metrics(request: Req) -> Answer:
    """The registry."""
    body = generate_latest(services_of(request).registry)
    return Answer(200, body, media_type=CONTENT_TYPE_LATEST.encode())


ROUTES: list[ControllerRouterHandler] = [livez, readyz, metrics]
