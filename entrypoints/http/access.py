"""Who may call: no route under /api without a key, and what governs live messages with a live one only."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from application.access.ports import ApiKey
from domain.kernel.channel import Mode
from entrypoints.http.problems.problem import Rejected

_SCHEME = "bearer "
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="posthorn"'}


class RequireKey:
    """Middleware of /api.  It stands behind the routing, so that no spelling of a path gets round it.

    A guard costs 12 µs a request, since it is given a copy of the handler; `live_key` is on no hot path.
    """

    def __init__(self, app: Any) -> None:  # an ASGI application, as are the arguments below
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # as ASGI has it
        """Let a request with a valid key through; handlers find the key as `request.auth`.

        Raises:
            Rejected: no key, or none that counts here.
            StoreUnavailable: it cannot be looked up now.
        """
        found = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(found) > 1:
            raise Rejected("unauthorized", "send one `Authorization`", _CHALLENGE)
        given = found[0].decode("latin-1") if found else ""
        if given[: len(_SCHEME)].lower() != _SCHEME:
            raise Rejected("unauthorized", "send `Authorization: Bearer` and an API key", _CHALLENGE)
        key = await scope["litestar_app"].services.authenticate(given[len(_SCHEME) :].strip())
        if key is None:
            raise Rejected("unauthorized", "the API key is mistyped, unknown, revoked or expired", _CHALLENGE)
        scope["auth"] = key
        await self.app(scope, receive, send)


def live_key(
    connection: ASGIConnection[Any, Any, ApiKey, Any],  # of any route
    _handler: BaseRouteHandler,
) -> None:
    """Guard of routes that change what governs live messages.

    Raises:
        Rejected: it is a test key.
    """
    if connection.auth.mode is not Mode.LIVE:
        raise Rejected("forbidden", "a test key reads this and uses it, and does not change it")
