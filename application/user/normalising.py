"""What somebody wrote of a user, in the spelling that is stored: alike at every entrance."""

import re
from collections.abc import Callable, Mapping

from application.user.ports import Addresses
from domain.kernel.errors import Fault
from domain.kernel.text import UNSEEN, hides

NAME_MAX = 255

_REGION = re.compile(r"[-_]([A-Za-z]{2})(?:[.@]|$)")
"""At the end of a locale: `de-CH`, `de_CH.UTF-8`."""


def normalised(
    written: Mapping[str, str | None], addresses: Addresses
) -> tuple[dict[str, str | None], list[Fault]]:
    """The values in their stored spelling, and a fault for each that cannot be read, whose value is None.

    Empty means null.  A phone number without a leading + is read as one of the region of the locale.

    Args:
        written: some of email, phone, name, locale, timezone.
    """

    def phone(value: str) -> str:
        region = _REGION.search(written.get("locale") or "")
        return addresses.phone(value, region[1].upper() if region else None)

    read: dict[str, Callable[[str], str]] = {
        "email": addresses.email,
        "phone": phone,
        "name": _name,
        "locale": addresses.locale,
        "timezone": addresses.timezone,
    }
    clean: dict[str, str | None] = {}
    faults: list[Fault] = []
    for field, value in written.items():
        clean[field] = None
        if value and value.strip():
            try:
                clean[field] = read[field](value) or None
            except ValueError as fault:
                faults.append(Fault(f"/{field}", f"bad_{field}", str(fault)))
    return clean, faults


def _name(value: str) -> str:
    name = " ".join(value.split())  # one line: it becomes part of a header
    if hides(name, joiners=True):
        raise ValueError(UNSEEN)
    if len(name) > NAME_MAX:
        raise ValueError(f"a name has at most {NAME_MAX} characters")
    return name
