"""What somebody wrote of a user, in the spelling that is stored: alike at every entrance."""

import re
from collections.abc import Callable, Mapping

from application.user.ports import Addresses
from domain.kernel.channel import RUN_TIME_NAME
from domain.kernel.errors import Fault
from domain.kernel.text import UNSEEN, hides

NAME_MAX = 255
ADDRESSES_MAX = 20
ADDRESS_MAX = 2_000
"""Characters of one: a URL may be long."""

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


def own_addresses(given: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
    """The addresses that can be kept, and a fault for each other one; blank ones are none."""
    clean: dict[str, str] = {}
    faults: list[Fault] = []
    if len(given) > ADDRESSES_MAX:
        detail = f"at most {ADDRESSES_MAX} channels have addresses, not {len(given)}"
        return {}, [Fault("/addresses", "too_many", detail)]
    for channel, address in given.items():
        at, text = f"/addresses/{channel}", address.strip()
        if not RUN_TIME_NAME.fullmatch(channel):
            faults.append(Fault("/addresses", "bad_channel", "a channel's name has letters, digits and _"))
        elif len(text) > ADDRESS_MAX:
            faults.append(Fault(at, "bad_length", f"an address has at most {ADDRESS_MAX:,} characters"))
        elif hides(text):
            faults.append(Fault(at, "bad_character", UNSEEN))
        elif text:
            clean[channel] = text
    return clean, faults


def _name(value: str) -> str:
    name = " ".join(value.split())  # one line: it becomes part of a header
    if hides(name, joiners=True):
        raise ValueError(UNSEEN)
    if len(name) > NAME_MAX:
        raise ValueError(f"a name has at most {NAME_MAX} characters")
    return name
