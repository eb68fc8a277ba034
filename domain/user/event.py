"""Events about customers, read as updates of `users`.

`user.created` and `user.updated` carry the customer: `userId` (or `id`), `email`, `phone`, `name` (or
`firstName` and `lastName`), `locale`, `timezone`, `addresses` (all of them, by channel).  An absent field
stays as it was.  Null clears a field, and so does a value that is not text, because the shop says that the
old value is no longer true.  `user.deleted` needs the id alone; its time does not matter.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from domain.kernel.errors import Fault, Invalid
from domain.kernel.text import UNSEEN, hides
from domain.trigger.trigger import ShopEvent
from domain.user.update import Said, UserUpdate

UPDATING = frozenset({"user.created", "user.updated", "user.deleted"})
"""The event types that update `users`."""

TEXT_MAX = 255
_LEAP = re.compile(r"(?<=[T ][0-9]{2}:[0-9]{2}:)60")
"""RFC 3339 has leap seconds, and small letters; Python has neither."""
_PLAIN = ("email", "phone", "name", "locale", "timezone")


def read(event: ShopEvent, kept_out: list[Fault]) -> UserUpdate:
    """The update that an event of a type in `UPDATING` asks for.

    Args:
        kept_out: gets a fault for each value that is no text.

    Raises:
        Invalid: no usable user id or time; pointers name all of them.
    """
    data = event.data if isinstance(event.data, Mapping) else {}
    faults: list[Fault] = []
    user_id = _user_id(data, faults)
    if event.type != "user.deleted" and hides(user_id):  # one that was kept in earlier days may go
        faults.append(Fault("/data/userId", "bad_character", UNSEEN))
    said: dict[str, Said | dict[str, str]] = {
        name: _said(data, name, kept_out) for name in _PLAIN if name in data
    }
    if "name" not in data and ("firstName" in data or "lastName" in data):
        said["name"] = _full_name(data, kept_out)
    if "addresses" in data:
        said["addresses"] = _addresses(data["addresses"], kept_out)
    deleted = event.type == "user.deleted"
    source_time = None if deleted else _time(event.time, faults)
    if faults:
        raise Invalid(*faults)
    update = UserUpdate(user_id=user_id, deleted=deleted, source_time=source_time)
    return update if deleted else msgspec.structs.replace(update, **said)


def _user_id(data: Mapping[str, object], faults: list[Fault]) -> str:
    value = data.get("id") if _blank(data.get("userId")) else data["userId"]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or _blank(value) or len(value) > TEXT_MAX:
        faults.append(Fault("/data/userId", "no_user", f"a user id of 1 to {TEXT_MAX} characters"))
        return ""
    return value


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _said(data: Mapping[str, object], name: str, kept_out: list[Fault]) -> str | None:
    value = data[name]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # a number that was written without quotes
    if value is None or (isinstance(value, str) and len(value) <= TEXT_MAX):
        return value or None
    kept_out.append(Fault(f"/data/{name}", "bad_value", f"text of at most {TEXT_MAX} characters, or null"))
    return None


def _addresses(value: object, kept_out: list[Fault]) -> dict[str, str]:
    """By channel; what is no text is left out, and null is no address."""
    if not isinstance(value, Mapping):
        if value is not None:
            kept_out.append(
                Fault("/data/addresses", "bad_value", "an object of addresses by channel, or null")
            )
        return {}
    found: dict[str, str] = {}
    for channel, address in value.items():
        text = str(address) if isinstance(address, int) and not isinstance(address, bool) else address
        if isinstance(text, str):
            found[channel] = text
        elif address is not None:
            kept_out.append(Fault(f"/data/addresses/{channel}", "bad_value", "text, or null"))
    return found


def _full_name(data: Mapping[str, object], kept_out: list[Fault]) -> str | None:
    parts = (_said(data, name, kept_out) for name in ("firstName", "lastName") if name in data)
    return " ".join(part.strip() for part in parts if part)[:TEXT_MAX] or None


def _time(value: str | None, faults: list[Fault]) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(_LEAP.sub("59", value.strip().upper()))
    except ValueError:
        faults.append(Fault("/time", "bad_time", "a time of RFC 3339 such as 2026-01-31T12:00:00Z"))
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
