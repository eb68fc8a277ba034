"""Ids in paths: each has one spelling, and each that was accepted can be spelled."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, unquote_to_bytes
from uuid import UUID

from litestar.params import PathParameter

from domain.kernel.errors import NotFound

USER_ID_MAX = 255
UuidInPath = Annotated[str, PathParameter(schema_extra={"type": "string", "format": "uuid"})]
"""Read it with `known_uuid`; were it a UUID to the router, who has no key would be told 404, not 401."""
VersionInPath = Annotated[str, PathParameter(schema_extra={"type": "integer", "minimum": 1})]
"""Read it with `known_number`."""

_USERS = b"/users/"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


def known_id(given: str) -> str:
    """An id of something that should be there.

    Raises:
        NotFound: nothing can have this id; a database might even refuse to look for it.
    """
    if not _ID.fullmatch(given):
        raise NotFound("nothing has such an id")
    return given


def known_uuid(given: str) -> UUID:
    """A UUID of something that should be there, in its canonical form (RFC 9562, 4); Python reads many more.

    Raises:
        NotFound: it is none.
    """
    if not _UUID.fullmatch(given):
        raise NotFound("nothing has such an id")
    return UUID(given)


def user_id(scope: Mapping[str, Any]) -> str:
    """What stands behind `/users/` in the request's path, percent-decoded once: the shop's ids may have `/`.

    Routers split a path when it is decoded, and take slashes for one; the path as it came tells `a%2Fb`, or
    `a/b`, from `ab` and from `a/`.

    Raises:
        NotFound: no id is spelled so.
    """
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    given = path.partition(b"?")[0].partition(_USERS)[2]
    try:
        found = unquote_to_bytes(given).decode()
    except UnicodeDecodeError:
        raise NotFound("nothing has such an id") from None
    if not 1 <= len(found) <= USER_ID_MAX or "\0" in found:
        raise NotFound(f"a user id has 1 to {USER_ID_MAX} characters")
    return found


def known_number(given: str) -> int:
    """A version of something that should be there.

    Raises:
        NotFound: nothing can have this number.
    """
    if not _NUMBER.fullmatch(given):
        raise NotFound("there is no such version")
    return int(given)
