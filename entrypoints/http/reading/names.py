"""Ids in paths."""

import re

from domain.kernel.errors import NotFound

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


def known_id(given: str) -> str:
    """An id of something that should be there.

    Raises:
        NotFound: nothing can have this id; a database might even refuse to look for it.
    """
    if not _ID.fullmatch(given):
        raise NotFound("nothing has such an id")
    return given
