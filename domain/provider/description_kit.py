"""What the parts of a description are made of."""

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.kernel.errors import Fault

TEXT_MAX = 4_000
"""Characters of one text in it."""

Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Short = Annotated[str, Meta(max_length=200)]
Pointer = Annotated[str, Meta(max_length=200)]
"""A JSON pointer (RFC 6901) into an answer; a step `*` of a webhook's `each` is any element."""
Reference = Annotated[str, Meta(max_length=300, examples=["env:CHANNEL_SECRET_WHATSAPP"])]
"""Where a secret is: `env:NAME`, `file:NAME` or `secret:PATH#FIELD`."""


class Described(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """The base of all: names as the API has them."""


_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers that belong to the connection."""
_POINTER = re.compile(r"(?:/(?:[^/~]|~[01])*)*")


def header_fault(at: str, name: str) -> Iterator[Fault]:
    """What is wrong with a header's name."""
    if not _HEADER.fullmatch(name) or name.lower() in _OURS:
        yield Fault(at, "bad_header", "no header's name, or one that belongs to the connection")


def pointer_fault(at: str, pointer: str | None) -> Iterator[Fault]:
    """What is wrong with a JSON pointer."""
    if pointer is not None and not _POINTER.fullmatch(pointer):
        yield Fault(at, "bad_pointer", "a JSON pointer such as /error/code")
