"""What comes to a look-alike, to be compared; and the way there for clients that know only their own host."""

from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import requests
from aiohttp import web
from requests.adapters import HTTPAdapter

from entrypoints.simulator.kit import Handler
from tests.contract.http_gateway import simulated


class Seen(msgspec.Struct, frozen=True):
    """A request, without what differs between any two clients."""

    method: str
    path: str
    auth: str
    kind: str
    """The media type of its body."""
    body: Any
    """Fields of a form, sorted; or the JSON document."""
    headers: dict[str, str]
    """Those that `seen` was asked for."""


@asynccontextmanager
async def seen(routes: Sequence[web.RouteDef], *headers: str) -> AsyncIterator[tuple[str, list[Seen]]]:
    """A look-alike: its URL, and the requests that it has got."""
    got: list[Seen] = []

    def watched(handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            kind = request.content_type
            got.append(
                Seen(
                    request.method,
                    request.path,
                    _auth(request),
                    kind,
                    _body(kind, await request.read()),
                    {name: request.headers[name] for name in headers if name in request.headers},
                )
            )
            return await handler(request)

        return handle

    watching = [web.route(each.method, each.path, watched(each.handler)) for each in routes]  # type: ignore[arg-type]
    async with simulated(watching) as url:
        yield url, got


def _body(kind: str, body: bytes) -> Any:
    if kind == "application/x-www-form-urlencoded":
        return sorted(parse_qsl(body.decode(), keep_blank_values=True))
    return msgspec.json.decode(body)


def _auth(request: web.Request) -> str:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    return f"{scheme} {b64decode(rest).decode()}" if scheme == "Basic" else f"{scheme} {rest}"


class Redirected(HTTPAdapter):
    """Sends every request to another host."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._host = urlsplit(url)

    def send(self, request: requests.PreparedRequest, *args: Any, **known: Any) -> requests.Response:
        there = urlsplit(request.url or "")._replace(scheme=self._host.scheme, netloc=self._host.netloc)
        request.url = there.geturl()
        return super().send(request, *args, **known)
