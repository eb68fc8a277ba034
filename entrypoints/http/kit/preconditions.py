"""ETag and If-Match: nobody overwrites what they have not seen (RFC 9110, 13.1; RFC 6585, 3)."""

import re
from typing import Any

from litestar import Request

from entrypoints.http.kit.problems import Rejected

_TAG = re.compile(r'(W/)?"([^"]*)"')


def etag(version: object) -> tuple[bytes, bytes]:
    """The header for a version."""
    return (b"etag", f'"{version}"'.encode())


def expect(request: Request[Any, Any, Any], version: object | None) -> None:
    """Hold the request's preconditions against the version there is; None: there is nothing yet.

    Raises:
        Refused: 428 when there is something and the caller quotes no ETag; 412 when it is another.
    """
    match_, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if none_match is not None:
        tags = _tags(none_match)
        if version is not None and (tags is None or str(version) in tags):
            raise Rejected("precondition-failed", "it exists already", _current(version))
    if match_ is not None:
        tags = _tags(match_, strong=True)
        if version is None:
            raise Rejected("precondition-failed", "it does not exist")
        if tags is not None and str(version) not in tags:
            raise Rejected("precondition-failed", "it has another version now", _current(version))
    elif version is not None:
        raise Rejected("precondition-required", "send the ETag you have seen as If-Match", _current(version))


def _tags(header: str, *, strong: bool = False) -> set[str] | None:
    """The quoted tags; None for `*`.  If-Match compares strongly: a weak tag matches nothing."""
    if header.strip() == "*":
        return None
    return {tag for weak, tag in _TAG.findall(header) if not (weak and strong)}


def _current(version: object) -> dict[str, str]:
    return {"ETag": f'"{version}"'}
