"""A registered type: what a request for it need not say, because it says so itself."""

from collections.abc import Collection

import msgspec

from domain.kernel.channel import NotificationClass, Priority
from domain.kernel.errors import Fault
from domain.kernel.json_values import below
from domain.kernel.text import UNSEEN, hides
from domain.notification.request import DEFAULT_CLASS, DEFAULT_PRIORITY
from domain.notification.routing import Routing, channel_faults


class NotificationType(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Defaults of all requests that name this type; what a request says itself goes before them."""

    id: str
    """As it stands in `notificationType`."""
    klass: NotificationClass = DEFAULT_CLASS
    category: str | None = None
    priority: Priority = DEFAULT_PRIORITY
    channels: tuple[str, ...]
    """In the order in which they are tried or used."""
    routing: Routing = Routing.ALL
    templates: dict[str, str] = {}
    """By channel; a request gives its own words where there is none."""


def faults(kind: NotificationType, known: Collection[str]) -> list[Fault]:
    """What is wrong with a type, its templates apart.

    Args:
        known: the channels there are.
    """
    found = channel_faults(kind.channels, known)
    if not kind.channels:
        found.append(Fault("/channels", "missing", "name at least one channel"))
    for channel in kind.templates:
        if channel not in kind.channels:
            detail = f"'{channel}' is none of the channels of this type"
            found.append(Fault(below("/templates", channel), "wrong_channel", detail))
    found += [
        Fault(f"/{name}", "bad_character", UNSEEN)
        for name, said in (("id", kind.id), ("category", kind.category or ""))
        if hides(said)
    ]
    return found
