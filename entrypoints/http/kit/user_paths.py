"""User ids, and what belongs to a user, in paths."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from domain.kernel.errors import NotFound

USER_ID_MAX = 255
_ROOT = b"/api/users/"
_OF_USER = frozenset({b"devices"})
"""What a user has several of, as paths name it."""


def routed(scope: Mapping[str, Any]) -> str | None:  # as ASGI has it
    """The path by which a request about a user is routed; None: it is about something else.

    Routers split a path when it is decoded, and take slashes for one, but ids may have them.  In what this
    returns an id is one segment, still encoded: `a%2Fb` for `a%2Fb` or `a/b`.  Behind an id that is one
    segment `devices` and one further segment stand for themselves.
    """
    path = _raw(scope)
    if not path.startswith(_ROOT) or path == _ROOT:
        return None
    segments = path.removeprefix(_ROOT).split(b"/")
    if not _has_more(segments):
        segments = [b"%2F".join(segments)]
    return (_ROOT + b"/".join(segments)).decode("latin-1")


def user_id(scope: Mapping[str, Any]) -> str:  # as ASGI has it
    """The id of the user in the request's path, percent-decoded once.

    Raises:
        NotFound: no id is spelled so.
    """
    segments = _raw(scope).removeprefix(_ROOT).split(b"/")
    return _decoded(segments[0] if _has_more(segments) else b"/".join(segments), "a user id", USER_ID_MAX)


def item_id(scope: Mapping[str, Any], what: str, longest: int) -> str:  # as ASGI has it
    """The last segment of the request's path, percent-decoded once.

    Args:
        what: what it is, for the error.

    Raises:
        NotFound: no id is spelled so.
    """
    return _decoded(_raw(scope).rpartition(b"/")[2], what, longest)


def _raw(scope: Mapping[str, Any]) -> bytes:  # as ASGI has it
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return path.partition(b"?")[0]


def _has_more(segments: list[bytes]) -> bool:
    return len(segments) in (2, 3) and segments[0] != b"" and segments[1] in _OF_USER and segments[-1] != b""


def _decoded(given: bytes, what: str, longest: int) -> str:
    try:
        found = unquote_to_bytes(given).decode()
    except UnicodeDecodeError:
        raise NotFound("nothing has such an id") from None
    if not 1 <= len(found) <= longest or "\0" in found:
        raise NotFound(f"{what} has 1 to {longest} characters")
    return found
