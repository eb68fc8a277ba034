"""A trigger: which shop event makes which notification, as data.

Expressions are paths into the event (`data.userId`, `data.shipments.0.id`, `id`, `source`, `type`, `time`)
and, for keys, text with such paths in braces (`order:{data.orderId}:confirmed`).
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from itertools import zip_longest

import msgspec

from domain.kernel.channel import NotificationClass, Priority
from domain.kernel.errors import Fault, Invalid
from domain.kernel.json_values import Json
from domain.kernel.text import UNSEEN, hides
from domain.notification.request import Content, Derived, Recipient, Request, present

_PATH = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*")
_INDEX = re.compile(r"[0-9]{1,9}")
"""An index of a list.  `isdigit` would also accept `²` and digits of other scripts."""
_HOLE = re.compile(r"\{([^{}]*)\}")
_KEY_MAX = 255
"""Longest idempotency key; a longer one (a source may be a long URL) is digested."""


class To(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Paths in the event at which the recipient is found: `user_id`, addresses for guests, or both."""

    user_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    locale: str | None = None
    timezone: str | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule from an event type to a notification."""

    id: str
    event: str
    """Event type it listens to, such as `order.created`."""
    enabled: bool = True
    type: str
    """Type of the notification it makes."""
    template: str | None = None
    """None: the registered type says which, on each of its channels."""
    channel: str | None = None
    klass: NotificationClass | None = None
    """None: that of the registered type, else transactional."""
    priority: Priority | None = None
    """None: that of the registered type, else medium."""
    to: To = To(user_id="data.userId")
    data: str = "data"
    """Path of the object that fills the template."""
    key: str = "{source}:{id}"
    """Idempotency key, in a name space of its own.  The default absorbs the same event sent twice; a
    business key such as `{data.orderId}` absorbs every event of that order for the 90 days keys are kept."""
    metadata: dict[str, str] = {}
    """Label → path."""


class ShopEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded shop event (CloudEvents attributes; `data` is its payload)."""

    id: str
    source: str
    type: str
    time: str | None = None
    subject: str | None = None
    data: Json = None
    traceparent: str | None = None
    correlation_id: str | None = None


def lookup(event: ShopEvent, path: str) -> Json:
    """Follow a path; None when it leads nowhere."""
    head, *rest = path.split(".")
    at: Json = getattr(event, head, None) if head in ShopEvent.__struct_fields__ else None
    for step in rest:
        if isinstance(at, Mapping):
            at = at.get(step)
        elif isinstance(at, list) and _INDEX.fullmatch(step) and int(step) < len(at):
            at = at[int(step)]
        else:
            return None
    return at


def check(trigger: Trigger) -> list[Fault]:
    """What is wrong with a trigger's paths."""
    paths = [(f"/to/{n}", p) for n in To.__struct_fields__ if (p := getattr(trigger.to, n)) is not None]
    paths.append(("/data", trigger.data))
    paths += [(f"/metadata/{label}", path) for label, path in trigger.metadata.items()]
    holes = _HOLE.findall(trigger.key)
    paths += [("/key", hole) for hole in holes]
    faults = [
        Fault(at, "bad_path", f"'{path}' is not a path such as data.orderId")
        for at, path in paths
        if not _PATH.fullmatch(path) or path.split(".")[0] not in ShopEvent.__struct_fields__
    ]
    names = {name: getattr(trigger, name) for name in ("id", "event", "type", "key")}
    names |= {"template": trigger.template or "", "metadata": "".join(trigger.metadata)}
    faults += [Fault(f"/{name}", "bad_character", UNSEEN) for name, said in names.items() if hides(said)]
    if not holes or not {"{", "}"}.isdisjoint(_HOLE.sub("", trigger.key)):
        detail = "name what tells the events apart, each path in braces: order:{data.orderId}"
        faults.append(Fault("/key", "bad_key", detail))  # else one key would stand for all of them
    if trigger.to == To():
        faults.append(Fault("/to", "no_recipient", "name userId, email or phone"))
    return faults


def request(trigger: Trigger, event: ShopEvent) -> Request:
    """The notification this event asks for.

    Raises:
        Invalid: a path that is needed leads nowhere; pointers name it.
    """
    found = {n: _text(event, p) for n in To.__struct_fields__ if (p := getattr(trigger.to, n)) is not None}
    recipient = present(msgspec.structs.replace(Recipient(), **found))
    if recipient.user_id is None and recipient.email is None and recipient.phone is None:
        raise Invalid(Fault("/data", "no_recipient", f"the event has nothing at {_names(trigger.to)}"))
    data = lookup(event, trigger.data)
    if not isinstance(data, dict):
        raise Invalid(Fault("/data", "no_data", f"the event has no object at {trigger.data}"))
    key, derived = _key(trigger, event)
    return Request(
        type=trigger.type,
        klass=trigger.klass,
        priority=trigger.priority,
        channel=trigger.channel,
        template=trigger.template,
        content=Content(data=data),
        recipients=(recipient,),
        metadata={label: lookup(event, path) for label, path in trigger.metadata.items()},
        created_by=f"trigger:{trigger.id}",
        idempotency_key=key,
        derived=derived,
        traceparent=event.traceparent,
        drop_invalid=True,
    )


def _names(to: To) -> str:
    return ", ".join(p for p in (to.user_id, to.email, to.phone) if p)


def _text(event: ShopEvent, path: str) -> str | None:
    value = lookup(event, path)
    return None if value is None or isinstance(value, bool | dict | list) else str(value)


def _key(trigger: Trigger, event: ShopEvent) -> tuple[str, Derived]:
    """The idempotency key as earlier releases joined it, and in parts.

    Raises:
        Invalid: a path in it finds nothing; a key of nothing would stand for all such events.
    """
    between = _HOLE.split(trigger.key)
    values: list[str] = []
    for path in between[1::2]:
        value = _text(event, path)
        if value is None or not value.strip():
            raise Invalid(Fault("/data", "no_key", f"the key '{trigger.key}' finds nothing at {path}"))
        values.append(value)
    separators = between[2:-1:2]
    certain = all(separators) and not any(
        mark in value for mark in (":", *separators) for value in (trigger.id, *values)
    )
    filled = "".join(map("".join, zip_longest(between[::2], values, fillvalue="")))
    key = f"trigger:{trigger.id}:{filled}"
    if len(key) > _KEY_MAX:
        key = f"trigger:{trigger.id}:sha256:{sha256(key.encode()).hexdigest()}"
    return key, Derived(parts=("trigger", trigger.id, trigger.key, *values), certain=certain)
