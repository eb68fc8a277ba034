"""Pages of lists: opaque signed cursors, `Link: rel=next`."""

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response
from msgspec import Meta

from domain.kernel.errors import Fault, Invalid
from entrypoints.http.kit.answers import JsonResponse
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.query import Query, parameters

LIMIT_MAX = 200
_NO_FILTERS = {"cursor", "limit"}
_MAC_BYTES = 16
Limit = Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="most items of a page")]
Cursor = Annotated[str, Meta(max_length=1_000, description="from `nextCursor` or `Link` of the page before")]
Row = TypeVar("Row")
Out = TypeVar("Out")
Position = TypeVar("Position")


class ListQuery(Query, frozen=True, kw_only=True):
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

    def write(self, scope: bytes, position: object) -> str:
        """A position as a signed cursor."""
        payload = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._mac(scope, payload) + payload).rstrip(b"=").decode()

    def read(self, scope: bytes, cursor: str, wanted: type[Position]) -> Position:
        """The position of a cursor.

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


class Pager:
    """Pages of the list that a request asks for: its path, mode and filters."""

    def __init__(self, request: ApiRequest) -> None:
        self._path: str = request.scope["path"]
        self._given = parameters(request)
        filters = sorted((name, text) for name, text in self._given.items() if name not in _NO_FILTERS)
        self._scope = msgspec.json.encode([self._path, request.mode, filters])
        self._cursors = Cursors(request.services.cursor_key)

    def position(self, cursor: str | None, wanted: type[Position]) -> Position | None:
        """Where the page begins; None: at the beginning.

        Raises:
            Invalid: see `Cursors.read`.
        """
        return self._cursors.read(self._scope, cursor, wanted) if cursor is not None else None

    def page(
        self, rows: Sequence[Row], limit: int, *, shown: Callable[[Row], Out], at: Callable[[Row], object]
    ) -> Response[Page[Out]]:
        """Up to `limit` of `rows`; one more tells that there is a next page.

        Args:
            shown: a row as the body has it.
            at: a row's position.
        """
        if len(rows) <= limit:
            return JsonResponse(Page(items=[shown(row) for row in rows], next_cursor=None))
        rows = rows[:limit]
        cursor = self._cursors.write(self._scope, at(rows[-1]))
        link = f'<{quote(self._path)}?{urlencode({**self._given, "cursor": cursor})}>; rel="next"'
        page = Page(items=[shown(row) for row in rows], next_cursor=cursor)
        return JsonResponse(page, headers={"Link": link})
