"""For load balancers and Prometheus: open to everybody who reaches the port."""

from typing import Literal

import msgspec
from litestar import route
from litestar.openapi import ResponseSpec
from litestar.types import ControllerRouterHandler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from entrypoints.http.kit.answers import Answer, encode
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.services import Readiness

_ALIVE = b'{"alive":true}'
_METHODS: list[Literal["GET", "HEAD"]] = ["GET", "HEAD"]


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The event loop turns."""

    alive: bool


@route(
    "/livez",
    http_method=_METHODS,
    summary="Does the process live?",
    description="Looks at nothing else: a process is not killed because its database is away.",
    responses={200: ResponseSpec(Alive, description="It does")},
)
async def livez() -> Answer:
    """The loop turned: that is all."""
    return Answer(200, _ALIVE, [(b"cache-control", b"no-store")])


@route(
    "/readyz",
    http_method=_METHODS,
    summary="Should requests come here?",
    description="False while draining, and when neither database nor broker can be reached.",
    responses={
        200: ResponseSpec(Readiness, description="Yes"),
        503: ResponseSpec(Readiness, description="No; `parts` says why"),
    },
)
async def readyz(request: ApiRequest) -> Answer:
    """200 when requests should come here, else 503; the body tells how each part stands."""
    state = await request.services.readiness()
    return Answer(200 if state.ready else 503, encode(state), [(b"cache-control", b"no-store")])


@route(
    "/metrics",
    http_method=_METHODS,
    summary="Metrics for Prometheus",
    description="No label names a user: keep it inside the network all the same.",
    responses={
        200: ResponseSpec(
            str, description="Text exposition format", media_type="text/plain", generate_examples=False
        )
    },
)
async def metrics(request: ApiRequest) -> Answer:
    """The metrics of this process in Prometheus' text format."""
    body = generate_latest(request.services.registry)
    return Answer(200, body, media_type=CONTENT_TYPE_LATEST.encode())


ROUTES: list[ControllerRouterHandler] = [livez, readyz, metrics]
