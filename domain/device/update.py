"""What is said of one device: by a request, or by an event of the shop.

`user.device_added` carries `userId`, `token`, `platform`, and what else the REST body has; the device is
registered or seen again.  `user.device_removed` needs `userId` and `token`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.device.device import TOKEN_MAX, Platform, PushService
from domain.kernel.errors import Fault, Invalid
from domain.kernel.text import UNSEEN, hides
from domain.trigger.trigger import ShopEvent
from domain.user.update import AHEAD_MAX, EARLIEST

ADDED, REMOVED = "user.device_added", "user.device_removed"
UPDATING = frozenset({ADDED, REMOVED})
"""The event types that update devices."""
ID_MAX = 255
KEY_MAX = 200
VERSION_MAX = 50


class BrowserKeySet(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a browser's subscription, both base64url."""

    p256dh: Annotated[str, Meta(max_length=KEY_MAX)]
    auth: Annotated[str, Meta(max_length=KEY_MAX)]


class DeviceFacts(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the app says of a device beside its token."""

    platform: Platform
    service: PushService | None = None
    """None: by the form of the token."""
    kind: Literal["token", "fid"] = "token"
    keys: BrowserKeySet | None = None
    locale: Annotated[str, Meta(max_length=35)] | None = None
    app_version: Annotated[str, Meta(max_length=VERSION_MAX)] | None = None


class DeviceUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A device that is there, or (`facts` None) is no more."""

    user_id: str
    token: str
    facts: DeviceFacts | None
    at: datetime | None = None
    """When this was true (aware); a device that was seen later stays as it is.  None: now."""


class _Named(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    user_id: Annotated[str, Meta(min_length=1, max_length=ID_MAX)] | int
    token: Annotated[str, Meta(min_length=1, max_length=TOKEN_MAX)]


def read(event: ShopEvent) -> DeviceUpdate:
    """The update that an event of a type in `UPDATING` asks for.

    Raises:
        Invalid: it names no user, no token or no platform, or a value is none of its kind.
    """
    data = event.data if isinstance(event.data, Mapping) else {}
    try:
        named = msgspec.convert(data, _Named)
        facts = msgspec.convert(data, DeviceFacts) if event.type == ADDED else None
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at `$")
        pointer = "/data" + where.removesuffix("`").replace(".", "/")
        raise Invalid(Fault(pointer, "bad_value", what)) from None
    user_id = str(named.user_id)
    if not user_id.strip() or hides(user_id):
        raise Invalid(Fault("/data/userId", "bad_character", UNSEEN))
    return DeviceUpdate(user_id=user_id, token=named.token, facts=facts, at=_time(event.time))


def _time(value: str | None) -> datetime | None:
    """None: it has none, or one that cannot be read."""
    try:
        found = datetime.fromisoformat((value or "").strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def seen_at(stated: datetime | None, now: datetime) -> datetime:
    """When a device was seen, by what is stated; a time that cannot be is now."""
    if stated is None or stated < EARLIEST or stated - now > AHEAD_MAX:
        return now
    return min(stated, now)
