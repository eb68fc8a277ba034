"""Health and metrics of a process without the API: three routes, no framework."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from entrypoints.http.services import Readiness

_NO_STORE = (b"cache-control", b"no-store")


class HealthApp:
    """ASGI: `/livez`, `/readyz`, `/metrics`, as the API has them."""

    def __init__(self, readiness: Callable[[], Awaitable[Readiness]], registry: CollectorRegistry) -> None:
        self._readiness = readiness
        self._registry = registry

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:  # as ASGI has it
        """Answer one connection."""
        if scope["type"] != "http":
            return
        status, kind, body = await self._answer(scope["method"], scope["path"])
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), _NO_STORE]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, method: str, path: str) -> tuple[int, str, bytes]:
        if method not in ("GET", "HEAD"):
            return 405, "text/plain", b""
        match path:
            case "/livez":
                return 200, "application/json", b'{"alive":true}'
            case "/readyz":
                state = await self._readiness()
                return 200 if state.ready else 503, "application/json", msgspec.json.encode(state)
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
            case _:
                return 404, "text/plain", b""
