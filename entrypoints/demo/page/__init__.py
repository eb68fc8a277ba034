"""The demo's page, served by the API: assets, the live list, the mails.  It asks for nothing from outside."""

from collections.abc import AsyncIterator, Sequence
from importlib.resources import files
from typing import Any

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.types import ControllerRouterHandler

from entrypoints.demo.feed import Feed, Row
from entrypoints.demo.sink import MailSink
from entrypoints.demo.tally import Tally

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


def pages(feed: Feed, tally: Tally, sink: MailSink) -> Sequence[ControllerRouterHandler]:
    """The routes."""

    @get("/", include_in_schema=False)
    async def index() -> Response[bytes]:
        return _answer(_asset("index.html"), "text/html", _PAGE_POLICY)

    @get("/demo/assets/{name:str}", include_in_schema=False)
    async def asset(name: str) -> Response[bytes]:
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

    @get("/demo/mails/{mail:str}", include_in_schema=False)
    async def head(mail: str) -> dict[str, Any]:
        found = _find(sink, mail)
        return {"id": mail, "subject": found.subject, "from": found.sender, "to": found.to}

    @get("/demo/mails/{mail:str}/html", include_in_schema=False)
    async def html(mail: str) -> Response[bytes]:
        found = _find(sink, mail)
        if not found.html:
            return _answer(found.text.encode(), "text/plain", _MAIL_POLICY)
        return _answer(found.html.encode(), "text/html", _MAIL_POLICY)

    @get("/demo/mails/{mail:str}/text", include_in_schema=False)
    async def text(mail: str) -> Response[bytes]:
        return _answer(_find(sink, mail).text.encode(), "text/plain", _MAIL_POLICY)

    return [index, asset, live, head, html, text]


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


def _find(sink: MailSink, mail: str) -> Any:
    found = sink.mails.get(mail)
    if found is None:
        raise NotFoundException
    return found
