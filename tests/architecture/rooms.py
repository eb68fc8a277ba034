"""The names of the rooms, and that every floor has no other ones.

A room is a capability; it has the same name wherever it is needed.  To add one: a line in `ROOMS`, and the
same in the table of docs/architecture.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOMS = {
    "access": "API keys: who may ask",
    "alert": "what is reported to operators",
    "attempt": "calls without an answer, and what became of them",
    "broker": "what any broker can do: publish, consume, count",
    "channel": "email, sms, push, in_app, webhook: paused, disabled, provided",
    "dead_letter": "what was given up: listed, replayed, discarded",
    "delivery": "one recipient of a notification on its way: lease, gate, call, settle",
    "device": "what push notifications reach: phones, tablets and browsers of users",
    "event": "what shops publish, and what follows from it",
    "intake": "requests kept on the broker while the database is away",
    "job": "long actions over many rows, in chunks",
    "kernel": "what every room needs: ids, errors, channels and priorities, clocks, supervision",
    "notification": "one request to send something: accepting, cancelling, reading",
    "notification_type": "what requests of a registered type need not say",
    "outbox": "messages that are committed with the rows they point to",
    "privacy": "sealing and opening personal data",
    "provider": "who carries the messages of a channel",
    "recovery": "issuing everything again when the broker has lost its data",
    "secret": "passwords and keys by reference",
    "template": "what is sent, in versions",
    "trigger": "which event makes which notification",
    "user": "the shop's customers, and guests",
}

COMING = {
    "audit": "who changed what",
    "campaign": "one notification to a segment",
    "consent": "what a user has agreed to, with proof",
    "inbox": "what an app shows its user",
    "limit": "how much in which time",
    "preference": "what a user wants to get, and when",
    "receipt": "what a provider says later: delivered, bounced, opened",
    "routing": "which provider, and who is next",
    "schedule": "when a notification is sent",
    "segment": "users by what is known of them",
    "workflow": "several notifications with time and conditions between them",
}
"""Rooms that are not built yet; they have their names already."""


@dataclass(frozen=True)
class Floor:
    """A folder whose folders (and modules, if so said) are rooms.

    Args:
        besides: further names, each with the reason why it is no room.
    """

    path: str
    besides: Mapping[str, str]
    modules: bool = True


FLOORS = (
    Floor("domain", {}),
    Floor("application", {}),
    Floor(
        "adapters/postgres",
        {"core": "what all statements share: pool, errors, tables, partitions, migration"},
    ),
    Floor("config/wiring", {"rooms": "how rooms are nested"}),
    Floor(
        "entrypoints/cli",
        {
            "configuration": "config show, config reference: the settings",
            "database": "migrate: all tables at once",
            "demo": "a shop's day",
            "fields": "NAME=VALUE on a command line",
            "doctor": "looks at everything a process stands on",
            "manual": "writes docs/cli.md",
            "process": "api, worker, events, relay, all",
            "sandbox": "simulated providers on one port",
            "root": "the command that has all others",
            "shell": "what all commands share",
            "topology": "the broker's queues and exchanges",
        },
    ),
    Floor(
        "entrypoints/http",
        {
            "app": "puts the routes of all rooms together",
            "docs": "the pages about the API",
            "health": "livez, readyz, metrics",
            "kit": "what all rooms share: bodies, queries, pages of lists, the OpenAPI document",
            "openapi": "writes openapi.json",
            "problems": "RFC 9457: what every refusal is told as, by the server and by all routes",
            "server": "bounds of sockets and memory, before there is a route or a key",
            "services": "the use cases and ports that the composition root hands to all rooms",
            "static": "files of the pages",
        },
    ),
    Floor(
        "tests/unit",
        {
            "amqp": "tests of entrypoints/amqp, a transport",
            "cli": "tests of entrypoints/cli, a transport",
            "config": "tests of config/, the settings",
            "engine": "tests of entrypoints/engine, which works for all rooms",
            "http": "tests of entrypoints/http, a transport",
            "processes": "tests of entrypoints/processes",
            "telemetry": "tests of adapters/telemetry",
        },
        modules=False,
    ),
)


def breaches(root: Path) -> Iterator[str]:
    """Every folder or module of a floor that is no room."""
    for floor in FLOORS:
        for path in sorted((root / floor.path).glob("*")):
            name = path.name.removesuffix(".py") if path.suffix == ".py" else path.name
            if name.startswith(("__", ".")) or name in {*ROOMS, *COMING, *floor.besides}:
                continue
            if path.is_dir() and any(path.rglob("*.py")):
                yield f"{floor.path}/{name}: a folder that is no room; see tests/architecture/rooms.py"
            elif path.suffix == ".py" and floor.modules:
                yield f"{floor.path}/{name}.py: a module outside any room; see tests/architecture/rooms.py"
