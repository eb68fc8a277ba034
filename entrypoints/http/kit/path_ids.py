"""Ids in paths: each has one spelling, and each that was accepted can be spelled."""

import re
from typing import Annotated
from uuid import UUID

from litestar.params import PathParameter

from domain.kernel.errors import NotFound

UuidInPath = Annotated[str, PathParameter(schema_extra={"type": "string", "format": "uuid"})]
"""Read it with `known_uuid`; were it a UUID to the router, who has no key would be told 404, not 401."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
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
