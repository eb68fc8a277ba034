"""Canaries: words that stand for personal data, and the search for them wherever somebody could read along.

    places = await everywhere(shop)     # "table users", "queue deliver.sms.low", … → what is there
    assert leaks(places, ["canary5f1cname"]) == []

Looked for are the word itself in any case, its octets in hexadecimal and its Base64 at every alignment, in
texts and within octets.
"""

import asyncio
import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import aiohttp
import asyncpg

from tests.support.broker import RabbitServer
from tests.support.shop import Shop

Places = Mapping[str, Sequence[str]]


def leaks(places: Places, canaries: Iterable[str]) -> list[str]:
    """Where a canary is found, each place once for each canary."""
    return [
        f"{canary} in {place}"
        for canary in canaries
        for place, texts in places.items()
        if any(_holds(text, canary) for text in texts)
    ]


def _holds(text: str, canary: str) -> bool:
    octets = canary.encode()
    folded = text.lower()
    return (
        canary.lower() in folded
        or octets.hex() in folded
        or any(form in text for form in _base64_forms(octets))
    )


def _base64_forms(octets: bytes) -> list[str]:
    """What surely stands in the Base64 of anything that holds `octets`: edges mix with their neighbours."""
    forms = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + octets).decode().rstrip("=")
        whole = encoded[(before * 8 + 5) // 6 : len(encoded) - 1]
        forms += [whole, whole.replace("+", "-").replace("/", "_")]
    return forms


async def everywhere(shop: Shop) -> dict[str, list[str]]:
    """Every column of every table, every message but the shop's own events, every log, all metrics."""
    return {
        **await tables(shop),
        **await asyncio.to_thread(messages, shop),
        **logs(shop),
        **await metrics(shop),
    }


async def tables(shop: Shop) -> dict[str, list[str]]:
    """By table; partitions are tables."""
    connection = await asyncpg.connect(shop.dsn)
    try:
        names = await connection.fetch(
            "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace"
            " WHERE s.nspname = 'public' AND c.relkind = 'r'"
        )
        return {
            f"table {name}": [_text(v) for row in await connection.fetch(f"TABLE {name}") for v in row]
            for (name,) in names
        }
    finally:
        await connection.close()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def messages(shop: Shop, *only: str) -> dict[str, list[str]]:
    """By queue.  Left out are the queues of the shop's events, which carry what the shop says, and those that
    only their own process may look into.

    Args:
        only: look into these queues alone.
    """
    server = shop.rabbitmq
    assert server is not None
    queues = server.api("GET", f"/queues/{quote(shop.broker.name, safe='')}")
    names = only or [
        queue["name"]
        for queue in queues
        if not queue["exclusive"] and not queue["name"].startswith("events.")
    ]
    return {f"queue {name}": _messages(server, shop.broker.name, name) for name in names}


def _messages(server: RabbitServer, vhost: str, queue: str) -> list[str]:
    wanted = {"count": 10_000, "ackmode": "ack_requeue_true", "encoding": "auto"}
    path = f"/queues/{quote(vhost, safe='')}/{quote(queue, safe='')}/get"
    return [str(message) for message in server.api("POST", path, wanted)]


def logs(shop: Shop) -> dict[str, list[str]]:
    """Of all processes; PostgreSQL's, too."""
    found: dict[str, list[str]] = defaultdict(list)
    for child in shop.children:
        found[f"log of {child.folder.name}"].append(child.log_text())
    return found


async def metrics(shop: Shop) -> dict[str, list[str]]:
    """Of every role that serves them."""
    found = {}
    async with aiohttp.ClientSession() as session:
        for role, url in shop.urls.items():
            async with session.get(f"{url}/metrics") as answer:
                found[f"metrics of {role}"] = [await answer.text()]
    return found
