"""No key, no entrance: middleware of every route under /api."""

from typing import Any

from domain.kernel.channel import Mode
from entrypoints.http.kit.openapi.operation import Access
from entrypoints.http.kit.problems import Rejected

_SCHEME = "bearer "
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="posthorn"'}


class RequireKey:
    """Sits behind the routing, so that no spelling of a path gets round it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let a request with a valid key through, and note the key.

        Raises:
            Refused: no key, or none that counts here.
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
        doc = scope["route_handler"].opt.get("doc")  # none: OPTIONS, which Litestar answers
        if key.mode is not Mode.LIVE and doc is not None and doc.access is Access.LIVE:
            raise Rejected("forbidden", "a test key reads this and uses it, and does not change it")
        scope["state"]["call"].key = key
        await self.app(scope, receive, send)
