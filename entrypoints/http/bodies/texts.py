"""Kinds of text that several bodies share."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from domain.kernel.errors import Fault

Text = Annotated[str, Meta(min_length=1, max_length=255)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Id = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$", description="letters, digits and . _ : -")
]
Channel = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,49}$", examples=["email", "sms", "push", "in_app"])]

Time = Annotated[datetime, Meta(tz=True)]


def renamed(faults: Sequence[Fault], names: Mapping[str, str]) -> list[Fault]:
    """Faults with the first step of their pointers as this API calls it."""
    return [_renamed(fault, names) for fault in faults]


def _renamed(fault: Fault, names: Mapping[str, str]) -> Fault:
    for inner, outer in names.items():
        if fault.pointer == inner or fault.pointer.startswith(inner + "/"):
            return Fault(outer + fault.pointer[len(inner) :], fault.code, fault.detail)
    return fault
