"""Answers: Litestar's own for management routes, and a small one of ours where microseconds count."""

from collections.abc import Iterable
from typing import Any, Self, TypeVar

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse

JSON = b"application/json"
Headers = Iterable[tuple[bytes, bytes]]
T = TypeVar("T")

encode = msgspec.json.Encoder(decimal_format="number").encode


class View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Camel case, as the requests."""

    @classmethod
    def copy(cls, source: Any, **others: Any) -> Self:  # any struct
        """A view of a struct: `others`, and what bears the same name there."""
        same = {name: getattr(source, name) for name in cls.__struct_fields__ if name not in others}
        return cls(**same, **others)


class JsonResponse(Response[T]):
    """Litestar's response, with decimals as numbers."""

    def render(self, content: Any, media_type: str, enc_hook: Any = None) -> bytes:  # noqa: ARG002  as Litestar has it
        """Structs as JSON; bytes as they are."""
        return content if isinstance(content, bytes) else encode(content)


def created(value: T, location: str, headers: dict[str, str] | None = None) -> Response[T]:
    """201 with a JSON body and where it now stands."""
    return JsonResponse(value, status_code=201, headers={"Location": location, **(headers or {})})


def no_content() -> Response[None]:
    """204; RFC 9110 (8.6) allows it no Content-Length."""
    return JsonResponse(None, status_code=204)


class Answer(ASGIResponse):
    """Status, headers and body, ready to go: Litestar's response classes cost more than accepting does."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, status: int, body: bytes, headers: Headers = (), *, media_type: bytes = JSON) -> None:
        self._status = status
        self._body = body
        self._headers = [(b"content-length", b"%d" % len(body)), *headers]
        if body:
            self._headers.append((b"content-type", media_type))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002  as ASGI has it
        """Send status, headers and body; no body to HEAD."""
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        body = b"" if scope["method"] == "HEAD" else self._body
        await send({"type": "http.response.body", "body": body})
