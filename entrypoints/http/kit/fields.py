"""Kinds of text that several bodies share."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from domain.kernel.errors import Fault
from domain.kernel.text import HIDDEN

VISIBLE = {"pattern": f"^[^{HIDDEN}]*$"}
"""For the contract.  The use cases hold it: they do so for every entrance, and cheaper."""

Text = Annotated[str, Meta(min_length=1, max_length=255)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Spelled = Annotated[str, Meta(min_length=1, max_length=255, extra_json_schema=VISIBLE)]
"""What is kept: see `VISIBLE`."""
SpelledName = Annotated[str, Meta(min_length=1, max_length=100, extra_json_schema=VISIBLE)]
Id = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}\Z", description="letters, digits and . _ : -")
]
Channel = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,49}\Z", examples=["email", "sms", "push", "in_app"])
]
OwnAddresses = Annotated[
    dict[str, Annotated[str, Meta(max_length=2_000)]],
    Meta(
        description="by channel, where a channel has addresses of its own",
        examples=[{"telegram": "123456789"}],
    ),
]
Uuid = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z",
        extra_json_schema={"format": "uuid"},
    ),
]
"""In its one spelling (RFC 9562, 4)."""

Time = Annotated[datetime, Meta(tz=True)]


def renamed(faults: Sequence[Fault], names: Mapping[str, str]) -> list[Fault]:
    """Faults with the first step of their pointers as this API calls it."""
    return [_renamed(fault, names) for fault in faults]


def _renamed(fault: Fault, names: Mapping[str, str]) -> Fault:
    for inner, outer in names.items():
        if fault.pointer == inner or fault.pointer.startswith(inner + "/"):
            return Fault(outer + fault.pointer[len(inner) :], fault.code, fault.detail)
    return fault
