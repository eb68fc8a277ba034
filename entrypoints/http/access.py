"""API keys: no route under /api is open without one."""

from typing import Any

from domain.kernel.channel import Mode
from entrypoints.http.kit.openapi.declared import Access, Declared
from entrypoints.http.problems.problem import Rejected

_SCHEME = "bearer "
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="posthorn"'}


class RequireKey:
    """Middleware of /api.  It stands behind the routing, so that no spelling of a path gets round it.

    A guard would be Litestar's word for it, and costs 12 µs: it copies the handler for every request.
    """

    def __init__(self, app: Any) -> None:  # an ASGI application, as are the arguments below
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let a request with a valid key through, and note the key.

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
            detail = "the API key is mistyped, unknown, revoked or expired"
            raise Rejected("unauthorized", detail, {**_CHALLENGE})
        declared: Declared | None = scope["route_handler"].opt.get("declared")  # none: OPTIONS
        if key.mode is not Mode.LIVE and declared is not None and declared.access is Access.LIVE:
            raise Rejected("forbidden", "a test key reads this and uses it, and does not change it")
        scope["state"]["context"].key = key
        await self.app(scope, receive, send)
