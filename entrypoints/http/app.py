"""The application: routes, the guard of /api, one handler for every error."""

from collections.abc import Sequence

import msgspec
from litestar import Router
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from entrypoints.http import attempt, channel, delivery, docs, health, job
from entrypoints.http.access import RequireKey
from entrypoints.http.dead_letter import routes as dead_letter
from entrypoints.http.kit.api import Api
from entrypoints.http.kit.body_memory import BodyMemory
from entrypoints.http.kit.openapi.contract import contract
from entrypoints.http.kit.problems import answer_error
from entrypoints.http.kit.services import HttpServices
from entrypoints.http.notification import batch, create
from entrypoints.http.notification import routes as notification
from entrypoints.http.template import routes as template
from entrypoints.http.trigger import routes as trigger
from entrypoints.http.user import routes as user

NEED_KEY: list[ControllerRouterHandler] = [
    create.create_notification,
    batch.create_batch,
    *notification.ROUTES,
    *delivery.ROUTES,
    *template.ROUTES,
    *trigger.ROUTES,
    *channel.ROUTES,
    *dead_letter.ROUTES,
    *attempt.ROUTES,
    *job.ROUTES,
    *user.ROUTES,
]


def create_app(services: HttpServices, *, pages: Sequence[ControllerRouterHandler] = ()) -> Api:
    """The ASGI application.

    Args:
        pages: further routes that need no key, such as the demo's.
    """
    app = build_app(pages)
    app.services = services
    return app


def build_app(pages: Sequence[ControllerRouterHandler] = ()) -> Api:
    """The routes alone: enough to write the contract."""
    app = Api(
        route_handlers=[
            Router("/api", route_handlers=NEED_KEY, middleware=[RequireKey]),
            *health.ROUTES,
            *docs.ROUTES,
            *pages,
        ],
        exception_handlers={Exception: answer_error},
        openapi_config=None,  # the contract is written from our own structs
        logging_config=None,  # one wide event per request instead
        request_max_body_size=None,  # `read_bytes` bounds each body
    )
    app.body_memory = BodyMemory()
    app.allowed = {
        route.path_format: ", ".join(sorted(route.methods)).encode()
        for route in app.routes
        if isinstance(route, HTTPRoute)
    }
    app.contract = msgspec.json.encode(contract(app))
    return app
