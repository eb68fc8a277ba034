"""The application: routes, the guard of /api, one handler for every error."""

from collections.abc import Sequence

import msgspec
from litestar import Router
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from entrypoints.http.edge import Api
from entrypoints.http.guard import RequireKey
from entrypoints.http.openapi.contract import contract
from entrypoints.http.problems import answer_error
from entrypoints.http.reading.room import Room
from entrypoints.http.routes import (
    attempts,
    batch,
    channels,
    dead_letters,
    docs,
    following,
    health,
    jobs,
    notifications,
    templates,
    triggers,
    users,
)
from entrypoints.http.services import HttpServices

GUARDED: list[ControllerRouterHandler] = [
    notifications.create_notification,
    notifications.cancel_notification,
    batch.create_batch,
    following.list_notifications,
    following.show_notification,
    following.list_deliveries,
    following.list_history,
    templates.list_templates,
    templates.create_template,
    templates.show_template,
    templates.show_version,
    templates.save_version,
    templates.activate_template,
    templates.deactivate_template,
    triggers.list_triggers,
    triggers.show_trigger,
    triggers.save_trigger,
    triggers.delete_trigger,
    channels.list_channels,
    channels.show_channel,
    channels.save_channel,
    channels.drop_channel,
    dead_letters.list_dead_letters,
    dead_letters.list_dead_letter_groups,
    dead_letters.replay_dead_letters,
    dead_letters.discard_dead_letters,
    attempts.list_attempts,
    attempts.resolve_attempt,
    jobs.list_jobs,
    jobs.show_job,
    jobs.cancel_job,
    users.list_users,
    users.show_user,
    users.save_user,
    users.erase_user,
    users.erase_users,
]
OPEN: list[ControllerRouterHandler] = [
    health.livez,
    health.readyz,
    health.metrics,
    docs.contract,
    docs.docs,
    docs.asset,
    docs.problems,
    docs.problem,
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
        route_handlers=[Router("/api", route_handlers=GUARDED, middleware=[RequireKey]), *OPEN, *pages],
        exception_handlers={Exception: answer_error},
        openapi_config=None,  # the contract is written from our own structs
        logging_config=None,  # one wide event per request instead
        request_max_body_size=None,  # `read_bytes` bounds each body
    )
    app.room = Room()
    app.allowed = {
        route.path_format: ", ".join(sorted(route.methods)).encode()
        for route in app.routes
        if isinstance(route, HTTPRoute)
    }
    app.contract = msgspec.json.encode(contract(app))
    return app
