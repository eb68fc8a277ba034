"""An update with its addresses in the one spelling that is stored, and what was wrong with the others."""

import re
from collections.abc import Callable

import msgspec

from application.ports.addresses import Addresses
from domain.kernel.errors import Fault
from domain.people.update import PersonUpdate

_REGION = re.compile(r"[-_]([A-Za-z]{2})$")
"""At the end of a locale: `de-CH`."""


def normalised(update: PersonUpdate, addresses: Addresses) -> tuple[PersonUpdate, tuple[Fault, ...]]:
    """The update, cleared of what is no address, and a fault for each such value.

    A phone number without a leading + is read as one of the region of the update's own locale.
    """

    def phone(value: str) -> str:
        region = _REGION.search(update.locale) if isinstance(update.locale, str) else None
        return addresses.phone(value, region[1].upper() if region else None)

    read: dict[str, Callable[[str], str]] = {
        "email": addresses.email,
        "phone": phone,
        "name": lambda value: " ".join(value.split()),  # one line: it becomes part of a header
        "locale": addresses.locale,
        "timezone": addresses.timezone,
    }
    clean: dict[str, str | None] = {}
    faults: list[Fault] = []
    for name, normalise in read.items():
        value = getattr(update, name)
        if isinstance(value, str):
            try:
                clean[name] = normalise(value) or None
            except ValueError as fault:
                clean[name] = None
                faults.append(Fault(f"/{name}", f"bad_{name}", str(fault)))
    return msgspec.structs.replace(update, **clean), tuple(faults)
