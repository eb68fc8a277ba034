"""Reading a shop event off an AMQP message, in any of the three spellings shops use.

- CloudEvents 1.0, structured: `application/cloudevents+json`, or any JSON object with `specversion`;
- CloudEvents 1.0, binary: attributes in headers `cloudEvents_…` or `cloudEvents:…`, the data as JSON body;
- plain JSON: an object that is the data itself.  Type: the AMQP property `type`, else the routing key.  Id:
  the AMQP `message-id`, else a digest of type and body: the same bytes twice are then one event, because a
  publisher that names nothing cannot be told from one that repeats itself.

`OrderCreated` is read as `order.created`.
"""

import hashlib
import re
from datetime import datetime
from functools import lru_cache

import msgspec

from application.broker.ports import Received
from domain.kernel.errors import Undecodable
from domain.kernel.json_values import Json
from domain.kernel.number import number
from domain.kernel.text import UNSEEN, hides
from domain.trigger.trigger import ShopEvent
from entrypoints.amqp.json_checks import check_data, read_json

SIZE_MAX = 256 * 1024
PLAIN_SOURCE = "shop.events"
"""Source of events that name none: the exchange they came over."""

_MEDIA = "application/cloudevents"
_PREFIXES = ("cloudEvents_", "cloudEvents:")
_LIMITS = {"id": 255, "type": 255, "source": 1024}
_OPTIONAL_LIMITS = {"subject": 1024, "time": 64, "correlationid": 255}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class _Envelope(msgspec.Struct, frozen=True):
    """What a structured event must and may have; further extensions are not looked at."""

    specversion: str
    id: str
    source: str
    type: str
    time: Json = None
    subject: Json = None
    data: Json = None
    data_base64: Json = None
    traceparent: Json = None
    correlationid: Json = None


_envelope = msgspec.json.Decoder(_Envelope, float_hook=number)
_ATTRIBUTES = frozenset(_Envelope.__struct_fields__) - {"data", "data_base64"}


def decode(message: Received) -> ShopEvent:
    """Read one event.

    Raises:
        Undecodable: with a reason that tells the publisher what to change.  It quotes nothing of the data.
    """
    if len(message.body) > SIZE_MAX:
        raise Undecodable(f"the body has {len(message.body):,} bytes; at most {SIZE_MAX:,} are read")
    media = (message.content_type or "").partition(";")[0].strip().lower()
    if media.startswith(_MEDIA):
        return _structured(message, media)
    attributes = _attributes(message.headers)
    if "specversion" in attributes:
        return _binary(message, attributes, media)
    return _plain(message)


@lru_cache(maxsize=4096)
def dotted(name: str) -> str:
    """`OrderCreated` → `order.created`; what is not in camel case stays as it is."""
    if not name.isalnum() or name.islower():
        return name
    return _HUMP.sub(".", name).lower()


def _structured(message: Received, media: str) -> ShopEvent:
    if media != f"{_MEDIA}+json":
        raise Undecodable(f"content type {media}: only {_MEDIA}+json is read, one event a message")
    envelope = read_json(_envelope, message.body, "CloudEvents envelope")
    if envelope.data_base64 is not None:
        raise Undecodable("the event has data_base64: only JSON data is read")
    return _event(message, envelope)


def _binary(message: Received, attributes: dict[str, str], media: str) -> ShopEvent:
    if media and not media.endswith("json"):
        raise Undecodable(f"content type {media}: only JSON data is read")
    if missing := [name for name in ("id", "source", "type") if name not in attributes]:
        raise Undecodable(f"CloudEvents headers without {', '.join(missing)}")
    known = {name: attributes[name] for name in _ATTRIBUTES if name in attributes}
    data = read_json(None, message.body, "event data") if message.body else None
    return _event(message, _Envelope(**known, data=data))


def _plain(message: Received) -> ShopEvent:
    data = read_json(None, message.body, "event")
    if not isinstance(data, dict):
        raise Undecodable("a plain event is a JSON object")
    if "specversion" in data:
        return _structured(message, f"{_MEDIA}+json")
    type_ = message.type or message.routing_key
    if not type_:
        raise Undecodable("no event type: set the AMQP property 'type' or publish with a routing key")
    id_ = message.message_id or _digest(type_, message.body)
    return _event(message, _Envelope("1.0", id_, PLAIN_SOURCE, type_, data=data))


def _event(message: Received, envelope: _Envelope) -> ShopEvent:
    if envelope.specversion != "1.0":
        raise Undecodable("CloudEvents attribute 'specversion' is not 1.0")
    for name, most in _LIMITS.items():
        value = getattr(envelope, name)
        if not 1 <= len(value) <= most or hides(value):
            raise Undecodable(f"the event's {name} must have 1 to {most} characters; {UNSEEN}")
    check_data(message.body, envelope.data)
    trace = envelope.traceparent or message.headers.get("traceparent")
    return ShopEvent(
        id=envelope.id,
        source=envelope.source,
        type=dotted(envelope.type),
        time=_optional(envelope, "time"),
        subject=_optional(envelope, "subject"),
        data=envelope.data,
        traceparent=trace if isinstance(trace, str) and _TRACEPARENT.fullmatch(trace) else None,
        correlation_id=_optional(envelope, "correlationid") or message.correlation_id,
    )


def _optional(envelope: _Envelope, name: str) -> str | None:
    """An attribute that an event can do without: none, where it is empty or not what it should be."""
    value = getattr(envelope, name)
    fits = isinstance(value, str) and 1 <= len(value) <= _OPTIONAL_LIMITS[name] and not hides(value)
    return value if fits else None


def _attributes(headers: dict[str, object]) -> dict[str, str]:
    """CloudEvents attributes of binary mode; a time may come as an AMQP timestamp."""
    found = {}
    for name, value in headers.items():
        if name.startswith(_PREFIXES) and value is not None:  # an impossible timestamp is read as none
            text = value.isoformat() if isinstance(value, datetime) else str(value)
            found[name[len(_PREFIXES[0]) :].lower()] = text
    return found


def _digest(type_: str, body: bytes) -> str:
    return "sha256:" + hashlib.sha256(type_.encode() + b"\0" + body).hexdigest()
