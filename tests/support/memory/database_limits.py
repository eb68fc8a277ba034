"""Values that PostgreSQL cannot store are refused by the stores in memory, too."""

from collections.abc import Iterator
from typing import Any

import msgspec

from domain.kernel.errors import Fault, Invalid
from domain.kernel.number import read_json


def metadata_of(encoded: bytes | None, *texts: str | None) -> dict[str, Any]:
    """Return the metadata if they, and the texts beside them, can be stored.

    Raises:
        Invalid.
    """
    try:
        metadata: dict[str, Any] = read_json(encoded) if encoded is not None else {}
        given = [*texts, *_texts(metadata)]
        together = "".join(text for text in given if text is not None).encode()
    except (msgspec.MsgspecError, UnicodeError) as fault:
        raise _refused() from fault
    if b"\0" in together:
        raise _refused()
    return metadata


def _refused() -> Invalid:
    return Invalid(Fault("", "refused_by_database", "PostgreSQL would refuse a value"))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for name, item in value.items():
                yield name
                yield from _texts(item)
