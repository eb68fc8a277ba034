"""Pages of lists: opaque signed cursors, `Link: rel=next`."""

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from litestar import Request
from msgspec import Meta

from domain.kernel.errors import Fault, Invalid
from entrypoints.http.kit.answers import Answer, ok
from entrypoints.http.kit.query import parameters

LIMIT_MAX = 200
_MAC_BYTES = 16
Limit = Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="most items of a page")]
Cursor = Annotated[str, Meta(max_length=1_000, description="from `nextCursor` or `Link` of the page before")]
Row = TypeVar("Row")
Position = TypeVar("Position")


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of every list."""

    limit: Limit = 50
    cursor: Cursor | None = None


class Page(msgspec.Struct, Generic[Row], frozen=True, kw_only=True, rename="camel"):
    """Part of a list."""

    items: list[Row]
    next_cursor: str | None


class Cursors:
    """Signs positions, each for one list with its filters: a cursor is good nowhere else."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, scope: bytes, position: Any) -> str:
        """Wrap a position."""
        payload = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._mac(scope, payload) + payload).rstrip(b"=").decode()

    def read(self, scope: bytes, cursor: str, wanted: type[Position]) -> Position:
        """Unwrap a position.

        Raises:
            Invalid: changed, or of another list.
        """
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(scope, payload)):
            detail = "not a cursor of this list with these filters"
            raise Invalid(Fault("?cursor", "bad_cursor", detail))
        return msgspec.json.decode(payload, type=wanted)

    def _mac(self, scope: bytes, payload: bytes) -> bytes:
        return hmac.digest(self._key, b"%d:%b%b" % (len(scope), scope, payload), "sha256")[:_MAC_BYTES]


def position(request: Request[Any, Any, Any], cursor: str | None, wanted: Any) -> Any:
    """Where the page begins; None: at the beginning.

    Raises:
        Invalid: see `Cursors.read`.
    """
    return _cursors(request).read(_scope(request), cursor, wanted) if cursor is not None else None


def page(
    request: Request[Any, Any, Any],
    rows: Sequence[Row],
    limit: int,
    *,
    shown: Callable[[Row], Any],
    at: Callable[[Row], Any],
) -> Answer:
    """Answer with up to `limit` of `rows`; one more tells that there is a next page.

    Args:
        shown: a row as the body has it.
        at: a row's position.
    """
    if len(rows) <= limit:
        return ok(Page(items=[shown(row) for row in rows], next_cursor=None))
    rows = rows[:limit]
    cursor = _cursors(request).write(_scope(request), at(rows[-1]))
    query = urlencode({**parameters(request), "cursor": cursor})
    link = f'<{quote(request.scope["path"])}?{query}>; rel="next"'
    return ok(Page(items=[shown(row) for row in rows], next_cursor=cursor), (b"link", link.encode()))


def _cursors(request: Request[Any, Any, Any]) -> Cursors:
    return Cursors(request.app.services.cursor_key)  # type: ignore[attr-defined]


def _scope(request: Request[Any, Any, Any]) -> bytes:
    filters = {name: text for name, text in parameters(request).items() if name not in {"cursor", "limit"}}
    mode = request.scope["state"]["call"].mode
    return msgspec.json.encode([request.scope["path"], mode, sorted(filters.items())])
