"""User ids in paths."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from domain.kernel.errors import NotFound

USER_ID_MAX = 255
_USERS = b"/users/"


def user_id(scope: Mapping[str, Any]) -> str:  # as ASGI has it
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
