"""What a scenario came to: a row for each of its lives, and everything that is not as it must be."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from application.outbox.pointers import Pointer, decode
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, NotificationClass, Priority
from entrypoints.amqp.parking import PARKED
from tests.crash.load import ORDERS
from tests.crash.rig import Attempt, Life, Story
from tests.support.ground_truth import violations
from tests.support.shop import Shop

LEASE = timedelta(seconds=11)
"""Who needed longer was late: a lease had to lapse first."""


class Row(msgspec.Struct, kw_only=True):
    """Figures of one life, in deliveries and calls."""

    lost: int = 0
    """Asked for, and not ended as it had to."""
    duplicated: int = 0
    """Calls that a provider had taken at the kill, and that were made again."""
    unknown: int = 0
    """Calls in flight at the kill, and visible as such."""
    late: int = 0


class Verdict(msgspec.Struct, kw_only=True):
    """Rows in the order of the lives."""

    rows: list[Row]
    violations: list[str]


async def judge(story: Story) -> Verdict:
    """Hold a story against the ledger, the database and the broker."""
    shop = story.shop
    names = {row["id"]: row["notification_id"] for row in await shop.fetch(_ALIASES)}
    asked = [{names.get(i, i) for i in ids} for life in story.lives for ids in life.load.answers.values()]
    accepted = set().union(*asked)
    found = [*story.troubles, *_ambiguous(asked)]
    found += await violations(shop.dsn, shop.calls(), accepted=accepted, deaths=shop.deaths)
    deliveries = {row["id"]: row for row in await shop.fetch(_DELIVERIES)}
    outcomes = {(r["delivery_id"], r["attempt"]): r["outcome"] for r in await shop.fetch(_ATTEMPTS)}
    wanted = len(asked) + ORDERS * len(story.lives)
    if (count := await shop.value("SELECT count(*) FROM notifications")) != wanted:
        found.append(f"{count} notifications for {wanted} requests and orders")
    repeated = _repeated(shop)
    found += _unseen(story, repeated, outcomes)
    found += _called_again(shop, deliveries, outcomes)
    found += await asyncio.to_thread(lambda: [*_undead(shop, deliveries), *_unparked(story)])
    of_notification: Mapping[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for row in deliveries.values():
        of_notification[row["notification_id"]].append(row)
        of_notification[row["order_id"]].append(row)
    rows = []
    for life in story.lives:
        row = _counted(life, of_notification, names)
        row.duplicated = len(repeated & life.in_flight)
        row.unknown = sum(outcomes[attempt] == "unknown" for attempt in life.in_flight)
        rows.append(row)
    return Verdict(rows=rows, violations=found)


def _counted(
    life: Life, deliveries: Mapping[Any, list[Mapping[str, Any]]], names: Mapping[UUID, UUID]
) -> Row:
    row = Row()
    wanted = [
        *((names.get(id_, id_), len(errand.to), errand.ends) for id_, errand in life.load.errands),
        *((order, 1, {DeliveryStatus.SENT}) for order in life.load.orders),
    ]
    for name, count, ends in wanted:
        ended = [d for d in deliveries[name] if d["status"] in ends]
        row.lost += count - len(ended)
        row.late += sum(d["took"] > LEASE for d in ended)
    return row


def _ambiguous(asked: Sequence[Collection[UUID]]) -> Iterator[str]:
    """One key is one notification, whatever ids its callers were told."""
    for ids in asked:
        if len(ids) > 1:
            yield f"notifications {' and '.join(map(str, ids))}: asked for under one key"


def _repeated(shop: Shop) -> set[Attempt]:
    """Calls that the provider had taken before it took another one for the same delivery."""
    taken: dict[UUID, list[int]] = defaultdict(list)
    for line in shop.calls():
        if line.outcome == "accepted":
            taken[line.delivery].append(line.attempt)
    return {(id_, number) for id_, numbers in taken.items() for number in sorted(numbers)[:-1]}


def _unseen(story: Story, repeated: set[Attempt], outcomes: Mapping[Attempt, str]) -> Iterator[str]:
    """What was in flight at a kill stands as unknown, and nothing else was made twice."""
    in_flight = {attempt for life in story.lives for attempt in life.in_flight}
    for id_, number in in_flight:
        if outcomes[id_, number] != "unknown":
            yield f"delivery {id_}: attempt {number} was in flight and stands as {outcomes[id_, number]}"
    for id_, number in repeated - in_flight:
        yield f"delivery {id_}: made twice, and attempt {number} was not in flight at a kill"


def _called_again(
    shop: Shop, deliveries: Mapping[UUID, Mapping[str, Any]], outcomes: Mapping[Attempt, str]
) -> Iterator[str]:
    """A class that holds what is unknown does not call after it."""
    held = {id_ for id_, row in deliveries.items() if row["class"] == NotificationClass.OTP}
    first: dict[UUID, int] = {}
    for (id_, number), outcome in sorted(outcomes.items()):
        if id_ in held and outcome == "unknown":
            first.setdefault(id_, number)
    for line in shop.calls():
        if line.attempt > first.get(line.delivery, line.attempt):
            yield f"delivery {line.delivery}: held, and called again at attempt {line.attempt}"


def _undead(shop: Shop, deliveries: Mapping[UUID, Mapping[str, Any]]) -> Iterator[str]:
    """Every failed delivery has its letter in the dead queue of its lane."""
    dead_letters: set[Pointer] = set()
    for priority in Priority:
        for message in _messages(shop, Lane("email", priority).dead):
            dead_letters.update(decode(message["payload"].encode()))
    for id_, row in deliveries.items():
        if row["status"] == DeliveryStatus.FAILED and Pointer(id_, row["seq"]) not in dead_letters:
            yield f"delivery {id_}: failed, and its letter is not in the dead queue"


def _unparked(story: Story) -> Iterator[str]:
    """Every message that nobody can read lies in the parked queue."""
    parked = Counter(
        message["properties"].get("headers", {}).get("x-posthorn-message-id")
        for message in _messages(story.shop, PARKED)
    )
    for life in story.lives:
        if not parked[life.load.rubbish]:
            yield f"event {life.load.rubbish}: unreadable, and not parked"


def _messages(shop: Shop, queue: str) -> list[Any]:
    assert shop.rabbitmq
    path = f"/queues/{quote(shop.broker.name, safe='')}/{queue}/get"
    wanted = {"count": 10_000, "ackmode": "ack_requeue_true", "encoding": "auto"}
    return list(shop.rabbitmq.api("POST", path, wanted))


_DELIVERIES = """
SELECT
    d.id, d.notification_id, d.status, d.seq, n.class, n.metadata ->> 'orderId' AS order_id,
    (SELECT max(h.at) FROM delivery_status_history AS h WHERE h.delivery_id = d.id) - d.created_at AS took
FROM notification_deliveries AS d JOIN notifications AS n ON n.id = d.notification_id
"""
_ALIASES = "SELECT id, notification_id FROM notification_aliases"
_ATTEMPTS = "SELECT delivery_id, attempt, outcome FROM delivery_attempts"
