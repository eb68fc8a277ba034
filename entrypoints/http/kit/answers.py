"""Answers, encoded here: Litestar's own response classes cost more than the handlers do."""

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar.response.base import ASGIResponse

JSON = b"application/json"
Headers = Iterable[tuple[bytes, bytes]]
encode = msgspec.json.Encoder(decimal_format="number").encode


class Answer(ASGIResponse):
    """Status, headers and body, ready to go."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, status: int, body: bytes, headers: Headers = (), *, media_type: bytes = JSON) -> None:
        self._status = status
        self._body = body
        self._headers = [(b"content-length", b"%d" % len(body)), *headers]
        if body:
            self._headers.append((b"content-type", media_type))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002  as ASGI has it
        """Send it."""
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        body = b"" if scope["method"] == "HEAD" else self._body
        await send({"type": "http.response.body", "body": body})


def ok(value: Any, *headers: tuple[bytes, bytes]) -> Answer:
    """200 with a JSON body."""
    return Answer(200, encode(value), headers)


def created(value: Any, location: str, *headers: tuple[bytes, bytes]) -> Answer:
    """201 with a JSON body and where it now stands."""
    return Answer(201, encode(value), [(b"location", location.encode()), *headers])


def gone() -> Answer:
    """204."""
    return Answer(204, b"")
