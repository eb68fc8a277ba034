"""The demo's page, served by the API: assets, the live list, the mails.  It asks for nothing from outside."""

from collections.abc import AsyncIterator, Sequence
from importlib.resources import files
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Response, Router, get, put
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.types import ControllerRouterHandler

from domain.kernel.json_values import Json
from entrypoints.demo.channels import DemoProviders
from entrypoints.demo.feed import Feed, Row, Shown
from entrypoints.demo.sink import MailSink
from entrypoints.demo.tally import Tally
from entrypoints.http.problems.problem import Rejected

_KINDS = {"style.css": "text/css", "app.js": "text/javascript", "horn.svg": "image/svg+xml"}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"


def pages(
    feed: Feed, tally: Tally, sink: MailSink, providers: DemoProviders
) -> Sequence[ControllerRouterHandler]:
    """The routes."""

    @get("/", include_in_schema=False)
    async def index() -> Response[bytes]:
        return _answer(_asset("index.html"), "text/html", _PAGE_POLICY)

    @get("/demo/assets/{name:str}", include_in_schema=False)
    async def asset(name: FromPath[str]) -> Response[bytes]:
        if name not in _KINDS:
            raise NotFoundException
        return _answer(_asset(name), _KINDS[name], _PAGE_POLICY)

    @get("/demo/feed", include_in_schema=False)
    async def live() -> ServerSentEvent:
        async def changes() -> AsyncIterator[ServerSentEventMessage]:
            yield _message(None, tally)
            async for row in feed.stream():
                yield _message(row, tally)

        return ServerSentEvent(changes(), headers=_HEADERS)

    handlers = [index, asset, live, *_messages(feed, sink), *_providers(providers)]
    return [Router("/", route_handlers=handlers, guards=[at_home])]


def _messages(feed: Feed, sink: MailSink) -> list[ControllerRouterHandler]:
    @get("/demo/mails/{mail:str}", include_in_schema=False)
    async def head(mail: FromPath[str]) -> dict[str, Json]:
        found = _find(sink, mail)
        return {"id": mail, "subject": found.subject, "from": found.sender, "to": found.to}

    @get("/demo/mails/{mail:str}/html", include_in_schema=False)
    async def html(mail: FromPath[str]) -> Response[bytes]:
        found = _find(sink, mail)
        if not found.html:
            return _answer(found.text.encode(), "text/plain", _MAIL_POLICY)
        return _answer(found.html.encode(), "text/html", _MAIL_POLICY)

    @get("/demo/mails/{mail:str}/text", include_in_schema=False)
    async def text(mail: FromPath[str]) -> Response[bytes]:
        return _answer(_find(sink, mail).text.encode(), "text/plain", _MAIL_POLICY)

    @get("/demo/messages/{message:str}", include_in_schema=False)
    async def shown(message: FromPath[str]) -> Shown:
        if (found := feed.shown.get(message)) is None:
            raise NotFoundException
        return found

    return [head, html, text, shown]


def _providers(providers: DemoProviders) -> list[ControllerRouterHandler]:
    @get("/demo/providers", include_in_schema=False)
    async def standing() -> dict[str, bool]:
        return providers.standing()

    @put("/demo/providers/{provider:str}", include_in_schema=False, status_code=200)
    async def change(provider: FromPath[str], working: FromQuery[bool]) -> dict[str, bool]:
        if not providers.set_working(provider, working=working):
            raise NotFoundException
        return providers.standing()

    return [standing, change]


def at_home(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:  # Litestar's
    """Answer to addresses and `localhost` alone.

    Any other name may be one that somebody's own DNS turns to this machine, for their page to read this one
    (DNS rebinding).

    Raises:
        Refused: another name.
    """
    if not _is_home(connection.headers.get("host", "")):
        raise Rejected("misdirected", "the demo answers to IP addresses and `localhost` only")


def _is_home(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        ip_address(name)
    except ValueError:
        return False
    return True


def _asset(name: str) -> bytes:
    return (files(__name__) / name).read_bytes()


def _answer(content: bytes, kind: str, policy: str) -> Response[bytes]:
    return Response(
        content,
        media_type=f"{kind}; charset=utf-8",
        headers={**_HEADERS, "Content-Security-Policy": policy},
    )


def _message(row: Row | None, tally: Tally) -> ServerSentEventMessage:
    figures = {**msgspec.to_builtins(tally.figures), "p95": tally.p95()}
    return ServerSentEventMessage(data=msgspec.json.encode({"row": row, "figures": figures}).decode())


def _find(sink: MailSink, mail: str) -> Json:
    found = sink.mails.get(mail)
    if found is None:
        raise NotFoundException
    return found
