"""Messages that an operator must look at: published to the parked queue as they came, with the reason.

The broker parks what it delivered too often by itself.  Moved back by hand ("Move messages" in the management
UI), either kind is read as the original was, though the move gave it its queue's name for a routing key.
"""

from datetime import datetime

import msgspec

from application.broker.ports import Outgoing, Received
from application.kernel.ports import Ids

CRITICAL = "events.critical"
ORDINARY = "events.ordinary"
QUEUES = (CRITICAL, ORDINARY)
PARKED = "events.parked"

PREFIX = "x-posthorn-"
REASON = f"{PREFIX}reason"
QUEUE = f"{PREFIX}queue"

_REASON_MAX = 1000
_HEADERS_MAX = 32 * 1024
"""Characters of foreign headers that are kept: all headers of a message must fit into one AMQP frame."""
_PROPERTIES = ("message_id", "correlation_id", "type", "content_type", "routing_key")


def parked(message: Received, queue: str, reason: str, *, to: str, ids: Ids) -> Outgoing:
    """The message for the parked queue: body, headers and properties of the original, reason and origin."""
    headers = _kept(message.headers)
    for name in _PROPERTIES:
        if value := getattr(message, name):
            headers[_header(name)] = value
    headers |= {QUEUE: queue, REASON: reason[:_REASON_MAX]}
    return Outgoing(id=ids.next(), queue=to, body=message.body, headers=headers)


def restored(message: Received) -> Received:
    """The original of a message that was parked once and moved back; any other message as it is."""
    if REASON not in message.headers:
        died_with = _dead_key(message.headers.get("x-death"))
        if died_with and message.routing_key in QUEUES:
            return msgspec.structs.replace(message, routing_key=died_with)
        return message
    kept = {name: message.headers.get(_header(name)) for name in _PROPERTIES}
    clean = {name: value if isinstance(value, str) else None for name, value in kept.items()}
    return msgspec.structs.replace(message, **clean | {"routing_key": clean["routing_key"] or ""})


def _header(name: str) -> str:
    return PREFIX + name.replace("_", "-")


def _dead_key(deaths: object) -> str | None:
    """The routing key that a dead letter had, as RabbitMQ notes it: newest death first."""
    match deaths:
        case [{"routing-keys": [str(key), *_]}, *_]:
            return key
        case _:
            return None


def _kept(foreign: dict[str, object]) -> dict[str, str]:
    kept: dict[str, str] = {}
    room = _HEADERS_MAX
    for name, value in foreign.items():
        text = _text(value)
        room -= len(name) + len(text)
        if room < 0:
            break
        if not name.startswith("x-"):
            kept[name] = text
    return kept


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
