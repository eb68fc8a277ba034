"""The application: routes, the guard of /api, one handler for every error."""

from collections.abc import Sequence
from functools import cache

from litestar import Router
from litestar.di import Provide
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from entrypoints.http import alert, attempt, channel, delivery, device, docs, health, job
from entrypoints.http.access import RequireKey
from entrypoints.http.dead_letter import routes as dead_letter
from entrypoints.http.kit.answers import JsonResponse
from entrypoints.http.kit.api import Api, ApiRequest
from entrypoints.http.kit.openapi.document import openapi_document
from entrypoints.http.kit.preconditions import provide_preconditions
from entrypoints.http.kit.query import provide_params, read_params
from entrypoints.http.kit.user_paths import routed
from entrypoints.http.notification import batch, create
from entrypoints.http.notification import routes as notification
from entrypoints.http.notification_type import routes as notification_type
from entrypoints.http.problems.problem import answer_error
from entrypoints.http.provider import description, preset, standing
from entrypoints.http.server.body_memory import BodyMemory
from entrypoints.http.server.read_body import BODY_MAX
from entrypoints.http.services import HttpServices
from entrypoints.http.template import routes as template
from entrypoints.http.trigger import routes as trigger
from entrypoints.http.user import routes as user

_ROOMS: dict[str, list[ControllerRouterHandler]] = {
    "Notifications": [*notification.ROUTES, *delivery.ROUTES],
    "Templates": template.ROUTES,
    "Notification types": notification_type.ROUTES,
    "Triggers": trigger.ROUTES,
    "Channels": channel.ROUTES,
    "Providers": [*standing.ROUTES, *description.ROUTES, *preset.ROUTES],
    "Dead letters": dead_letter.ROUTES,
    "Attempts": attempt.ROUTES,
    "Jobs": job.ROUTES,
    "Users": user.ROUTES,
    "Devices": device.ROUTES,
}
_MANAGEMENT = Router(
    "/",
    route_handlers=[Router("/", route_handlers=routes, tags=[tag]) for tag, routes in _ROOMS.items()],
    before_request=read_params,
    response_class=JsonResponse,
    dependencies={
        "params": Provide(provide_params, sync_to_thread=False),
        "preconditions": Provide(provide_preconditions, sync_to_thread=False),
    },
)
_ACCEPTING = Router("/", route_handlers=[*create.ROUTES, *batch.ROUTES], tags=["Notifications"])
"""The hot path: its handlers read the request by hand."""
API = Router(
    "/api", route_handlers=[_ACCEPTING, _MANAGEMENT], middleware=[RequireKey], security=[{"apiKey": []}]
)
OPEN = Router("/", route_handlers=health.ROUTES, tags=["Health"])


def create_app(services: HttpServices, *, pages: Sequence[ControllerRouterHandler] = ()) -> Api:
    """The ASGI application.

    Args:
        pages: further routes that need no key, such as the demo's.
    """
    app = build_app(pages)
    app.services = services
    return app


def build_app(pages: Sequence[ControllerRouterHandler] = ()) -> Api:
    """The routes alone."""
    app = Api(
        route_handlers=[API, OPEN, *docs.ROUTES, *pages],
        request_class=ApiRequest,
        exception_handlers={Exception: answer_error},
        openapi_config=None,  # it would add pages of its own: `openapi_document` asks for the document alone
        logging_config=None,  # one wide event per request instead
        request_max_body_size=BODY_MAX,
    )
    app.body_memory = BodyMemory()
    app.routed = routed
    app.allowed = {
        route.path_format: ", ".join(sorted(route.methods)).encode()
        for route in app.routes
        if isinstance(route, HTTPRoute)
    }
    app.contract = contract
    return app


@cache
def contract() -> bytes:
    """The OpenAPI document, as JSON; writing it takes a quarter of a second, once in a process."""
    return openapi_document(
        [API, OPEN], tags=[*_ROOMS, "Health"], webhooks=alert.webhooks, webhook_bodies=alert.EVENTS.values()
    )
