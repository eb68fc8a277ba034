"""The topology as RabbitMQ's `load_definitions` and management API take it.

`rabbitmq/definitions.json` is this module's output, and a test holds them together.  What gives a queue its
meaning (type, the ladder's TTLs and ways) is an argument: immutable, and no policy displaces it.  What must
be changed on a live broker (limits, ways of dead letters) is a policy.
"""

import json
import re
from collections.abc import Mapping, Sequence

from adapters.rabbitmq.delay_ladder import LEVELS, destination, exchange_of
from adapters.rabbitmq.delay_plugin import DELAYED, DELAYED_ARGUMENTS, DELAYED_TYPE
from application.intake.command import INTAKE
from application.outbox.dispatch import RETURNED
from domain.kernel.channel import CHANNELS, TEST_LANE, Lane, Priority, lanes
from domain.kernel.json_values import Json

SHOP_EVENTS = "shop.events"
"""Topic exchange of the shop's services.  Others may bind to it too, so the sorting is done behind it."""
SORTED_EVENTS = "events.sorted"
"""Topic exchange behind it: what no critical key matches takes its alternate exchange, so one queue each."""
ORDINARY_EVENTS = "events.ordinary"
NOTIFICATION_EVENTS = "notifications.events"
CONTROL = "control"
DUE = "due"
DEAD = "dead"
MARKERS = r"^posthorn\.(marker|control)\."
"""Queues made by `adapters.rabbitmq.marker` and `control`; here only so that nobody else's policy applies."""
PARKED_DELAYS = "delay.parked"
PARKED_EVENTS = "events.parked"
CRITICAL_EVENTS = "events.critical"

CRITICAL_KEYS = (
    "auth.#",
    "user.password_reset_requested",
    "user.login_code_requested",
    "user.email_verification_requested",
    "*.critical.#",
)
"""Routing keys of events that must not wait behind others: somebody sits and waits for the message."""

SHARED = frozenset({SHOP_EVENTS, NOTIFICATION_EVENTS, CONTROL})
"""Exchanges to which others bind as they like."""
DELIVERY_LIMIT = 10
_WORDS = (*(priority.label for priority in Priority), TEST_LANE)
CHANNEL_NAME = re.compile(r"[a-z0-9_-]{1,60}")

Definitions = dict[str, list[dict[str, Json]]]


def definitions(
    channels: Sequence[str] = CHANNELS,
    critical_keys: Sequence[str] = CRITICAL_KEYS,
    vhost: str = "/",
    *,
    plugin: bool = False,
) -> Definitions:
    """The whole topology for these channels; no users, no credentials.

    Args:
        plugin: with the exchange of the delaying plugin, beside the ladder.

    Raises:
        ValueError: a channel's name would not do as a word of a routing key.
    """
    for channel in channels:
        if not CHANNEL_NAME.fullmatch(channel):
            raise ValueError(f"channel {channel!r}: use a-z, 0-9, _ and -, at most 60")
    made = lanes(channels)
    parts = [_lanes(made), _ladder(made), _events(critical_keys), _intake(), _policies()]
    if plugin:
        parts.append(_plugin())
    merged: Definitions = {"vhosts": [{"name": vhost}]}
    for kind in ("exchanges", "queues", "bindings", "policies"):
        merged[kind] = [{"vhost": vhost, **item} for part in parts for item in part.get(kind, [])]
    return merged


def lanes_of(channel: str) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """The queues of one channel, and the bindings by which delayed messages find them."""
    made = lanes([channel])
    return _lane_queues(made), _lane_timers(made)


def _lane_queues(lanes: Sequence[Lane]) -> list[dict[str, Json]]:
    return [_queue(name) for lane in lanes for name in (lane.queue, lane.dead)]


def _lane_timers(lanes: Sequence[Lane]) -> list[dict[str, Json]]:
    return [_binding(DUE, lane.queue, f"{destination(lane.queue)}.#") for lane in lanes]


def _lanes(lanes: Sequence[Lane]) -> Definitions:
    """A message reaches a lane by its queue's name or through `due`; it dies with the key it came with.

    What the broker gives up by itself goes through our hands before it lies in a `.dlq`: it becomes a row.
    """
    return {
        "exchanges": [_exchange(DEAD, internal=True)],
        "queues": [*_lane_queues(lanes), _queue(RETURNED)],
        "bindings": [
            _binding(DEAD, RETURNED, key)  # of lanes of any channel, configured here or not
            for word in _WORDS
            for key in (f"deliver.*.{word}", f"*.{word}.#")
        ],
    }


def _ladder(lanes: Sequence[Lane]) -> Definitions:
    """At-least-once dead-lettering from level to level needs the strategy, reject-publish and a DLX.

    A message without a way would stop its whole level after 32 of them: hence the alternate exchanges.
    """
    aside = {"alternate-exchange": PARKED_DELAYS}
    exchanges = [_exchange(PARKED_DELAYS, "fanout"), _exchange(DUE, arguments=aside)]
    queues = [_queue(PARKED_DELAYS)]
    bindings = [_binding(PARKED_DELAYS, PARKED_DELAYS)]
    bindings += _lane_timers(lanes)
    for level in range(LEVELS):
        name, below = exchange_of(level), exchange_of(level - 1) if level else DUE
        arguments = {
            "x-message-ttl": 2**level * 1000,
            "x-dead-letter-exchange": below,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        exchanges.append(_exchange(name, arguments=aside))
        queues.append(_queue(name, arguments))
        lower_bits = "*.*." + "*." * level
        bindings.append(_binding(name, name, f"{lower_bits}1.#"))
        bindings.append(_binding(name, below, f"{lower_bits}0.#", to="exchange"))
    return {"exchanges": exchanges, "queues": queues, "bindings": bindings}


def _plugin() -> Definitions:
    """It lets go to `due`, whose alternate exchange takes what has no lane; one of its own would take all."""
    return {
        "exchanges": [_exchange(DELAYED, DELAYED_TYPE, arguments=DELAYED_ARGUMENTS)],
        "bindings": [_binding(DELAYED, DUE, to="exchange")],
    }


def _events(critical_keys: Sequence[str]) -> Definitions:
    return {
        "exchanges": [
            _exchange(SHOP_EVENTS),
            _exchange(SORTED_EVENTS, internal=True, arguments={"alternate-exchange": ORDINARY_EVENTS}),
            _exchange(ORDINARY_EVENTS, "fanout", internal=True),
            _exchange(PARKED_EVENTS, "fanout"),
            _exchange(NOTIFICATION_EVENTS),
            _exchange(CONTROL, "fanout"),
        ],
        "queues": [_queue(name) for name in (CRITICAL_EVENTS, ORDINARY_EVENTS, PARKED_EVENTS)],
        "bindings": [
            _binding(SHOP_EVENTS, SORTED_EVENTS, "#", to="exchange"),
            *(_binding(SORTED_EVENTS, CRITICAL_EVENTS, key) for key in critical_keys),
            _binding(ORDINARY_EVENTS, ORDINARY_EVENTS),
            _binding(PARKED_EVENTS, PARKED_EVENTS),
        ],
    }


def _intake() -> Definitions:
    """Commands accepted while the database was away, and those of them that killed their readers."""
    dead = f"{INTAKE}.dlq"
    return {"queues": [_queue(INTAKE), _queue(dead)], "bindings": [_binding(DEAD, dead, INTAKE)]}


def _policies() -> Definitions:
    """One policy applies to a queue, so their patterns do not overlap.

    Dead and delayed messages are looked at by people, and the marker's by ourselves, and each look counts as
    a delivery: from 4.0 on the default limit of 20 would drop them.
    """
    words = "|".join(_WORDS)
    return {
        "policies": [
            _policy("posthorn-lanes", rf"^(deliver\..+\.({words})|{INTAKE})$", _limited(DEAD)),
            _policy("posthorn-events", r"^events\.(critical|ordinary)$", _limited(PARKED_EVENTS)),
            _policy(
                "posthorn-kept",
                rf"\.(dlq|parked)$|^delay\.\d\d$|{MARKERS}",
                {"delivery-limit": 1_000_000},
            ),
            # What is too large to be looked at lies where people look.
            _policy(
                "posthorn-returned",
                rf"^{re.escape(RETURNED)}$",
                _limited(PARKED_DELAYS) | {"delivery-limit": 1_000_000},
            ),
        ]
    }


def _limited(dead_letter_exchange: str) -> dict[str, Json]:
    return {
        "delivery-limit": DELIVERY_LIMIT,
        "dead-letter-exchange": dead_letter_exchange,
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    }


def _exchange(
    name: str, kind: str = "topic", *, internal: bool = False, arguments: Mapping[str, object] | None = None
) -> dict[str, Json]:
    return {
        "name": name,
        "type": kind,
        "durable": True,
        "auto_delete": False,
        "internal": internal,
        "arguments": arguments or {},
    }


def _queue(name: str, arguments: Mapping[str, object] | None = None) -> dict[str, Json]:
    return {
        "name": name,
        "durable": True,
        "auto_delete": False,
        "arguments": {"x-queue-type": "quorum", **(arguments or {})},
    }


def _binding(source: str, destination: str, key: str = "", *, to: str = "queue") -> dict[str, Json]:
    return {
        "source": source,
        "destination": destination,
        "destination_type": to,
        "routing_key": key,
        "arguments": {},
    }


def _policy(name: str, pattern: str, definition: dict[str, object]) -> dict[str, Json]:
    return {"name": name, "pattern": pattern, "apply-to": "queues", "priority": 10, "definition": definition}


def as_json(described: Definitions) -> str:
    """As the file holds it: one thing a line."""
    kinds = [
        f"  {json.dumps(kind)}: [\n" + ",\n".join(f"    {json.dumps(item)}" for item in items) + "\n  ]"
        for kind, items in described.items()
    ]
    return "{\n" + ",\n".join(kinds) + "\n}\n"
