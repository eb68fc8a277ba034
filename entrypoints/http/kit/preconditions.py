"""ETag and If-Match: nobody overwrites what they have not seen (RFC 9110, 13.1; RFC 6585, 3)."""

import re
from dataclasses import dataclass
from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from entrypoints.http.problems.problem import Rejected

_TAG = re.compile(r'(W/)?"([^"]*)"')

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="the `ETag` you have seen; required to change what exists (428, 412)",
    ),
]
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match", description="`*`: create only")]


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What the caller has seen of a resource, as they say."""

    if_match: str | None
    if_none_match: str | None

    def check(self, version: object | None) -> None:
        """Hold them against the version there is; None: there is nothing yet.

        Raises:
            Rejected: 428 when there is something and the caller quotes no ETag; 412 when it is another.
        """
        if self.if_none_match is not None:
            tags = _tags(self.if_none_match)
            if version is not None and (tags is None or str(version) in tags):
                raise Rejected("precondition-failed", "it exists already", etag(version))
        if self.if_match is not None:
            tags = _tags(self.if_match, strong=True)
            if version is None:
                raise Rejected("precondition-failed", "it does not exist")
            if tags is not None and str(version) not in tags:
                raise Rejected("precondition-failed", "it has another version now", etag(version))
        elif version is not None:
            raise Rejected("precondition-required", "send the ETag you have seen as If-Match", etag(version))


def provide_preconditions(if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Preconditions:
    """Litestar's dependency `preconditions`."""
    return Preconditions(if_match, if_none_match)


Conditions = NamedDependency[Preconditions]
"""What a handler's `preconditions` is annotated with."""


def etag(version: object) -> dict[str, str]:
    """The header for a version."""
    return {"ETag": f'"{version}"'}


def _tags(header: str, *, strong: bool = False) -> set[str] | None:
    """The quoted tags; None for `*`.  If-Match compares strongly: a weak tag matches nothing."""
    if header.strip() == "*":
        return None
    return {tag for weak, tag in _TAG.findall(header) if not (weak and strong)}
