"""What must hold after any fault, once everything has come to rest; what does not is said in words.

    lines = read_ledger(path)
    found = await violations(dsn, lines, accepted=ids_answered_202, deaths=[Death(process, at)])
    assert not found, "\n".join(found)

The sandbox's ledger is the truth: a line stands in it for every call that was made, whatever became of the
process that made it.  The database is what Posthorn believes.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from domain.delivery.delivery import NEXT, OPEN, SUCCEEDED, DeliveryStatus
from domain.notification.rollup import Counts, bucket, rollup


class Line(msgspec.Struct, frozen=True):
    """One call, as the provider saw it."""

    time: datetime
    delivery: UUID
    attempt: int
    outcome: str


class Death(msgspec.Struct, frozen=True):
    """A process killed (or stopped beyond its leases): only its calls in flight may be made again."""

    process: UUID
    """processes.id."""
    at: datetime


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The database's side, read in one snapshot."""

    notifications: dict[UUID, Mapping[str, Any]]
    aliases: dict[UUID, UUID]
    deliveries: dict[UUID, Mapping[str, Any]]
    attempts: dict[tuple[UUID, int], Mapping[str, Any]]
    history: dict[UUID, list[Mapping[str, Any]]]
    outbox: int
    orphans: dict[str, int]


IN_FLIGHT_MAX = timedelta(seconds=11)
"""A call belongs to a death when it was begun so long before it at most: the lease of the fault tests."""
KEEPERS = {"in_app"}
"""Providers that keep a message here, and have no ledger."""
LAST_WORDS = timedelta(seconds=3)
"""What the dead had sent off is committed a little later, by a database that is busy."""


async def violations(
    dsn: str,
    lines: Sequence[Line],
    *,
    accepted: Collection[UUID] = (),
    deaths: Sequence[Death] = (),
    store_lost: bool = False,
) -> list[str]:
    """Everything that is not as it must be; an empty list is the promise kept.

    Args:
        lines: the ledger.
        accepted: notifications that somebody was told are accepted; an alias counts as what it stands for,
            and one that failed without deliveries has to say why.
        deaths: who was killed, and when.
        store_lost: the database was restarted: a begin may have been committed without its worker learning
            it, which then makes no call; such an attempt stands as unknown, too.
    """
    stored = await read(dsn)
    return [
        *_lost(stored, lines, accepted),
        *_called(stored, lines),
        *_repeated(stored, lines, deaths),
        *_unexplained(stored, lines, deaths, store_lost=store_lost),
        *_history(stored),
        *_counted(stored),
        *(f"{count} {words}" for words, count in stored.orphans.items() if count),
        *([f"{stored.outbox} messages are left in the outbox"] if stored.outbox else []),
    ]


def read_ledger(path: Path) -> list[Line]:
    """Every call, in the order in which the provider saw them; a line that is being written is left out."""
    if not path.exists():
        return []
    decoder = msgspec.json.Decoder(Line)
    *whole, _ = path.read_bytes().split(b"\n")
    return [decoder.decode(line) for line in whole]


def _lost(stored: Stored, lines: Sequence[Line], accepted: Collection[UUID]) -> Iterator[str]:
    """Accepted is committed, and what is committed comes to its end."""
    of_notification: Counter[UUID] = Counter(d["notification_id"] for d in stored.deliveries.values())
    for id_ in accepted:
        meant = stored.aliases.get(id_, id_)
        if meant not in stored.notifications:
            yield f"notification {id_}: answered as accepted, and not in the database"
        elif not of_notification[meant] and stored.notifications[meant]["reason"] is None:
            yield f"notification {id_}: has no delivery, and does not say why"
    taken = {line.delivery for line in lines if line.outcome == "accepted"}
    for id_, delivery in stored.deliveries.items():
        status = DeliveryStatus(delivery["status"])
        if status in OPEN:
            yield f"delivery {id_}: still {status}"
        if status in SUCCEEDED and id_ not in taken and delivery["provider"] not in KEEPERS:
            yield f"delivery {id_}: stands as {status}, and the provider never took it"


def _called(stored: Stored, lines: Sequence[Line]) -> Iterator[str]:
    """Every call was committed before it was made, once, and is remembered as it ended."""
    for (id_, number), count in Counter((line.delivery, line.attempt) for line in lines).items():
        if count > 1:
            yield f"delivery {id_}: attempt {number} was called {count} times"
    for line in lines:
        attempt = stored.attempts.get((line.delivery, line.attempt))
        if attempt is None:
            yield f"delivery {line.delivery}: called at attempt {line.attempt}, which was never committed"
        elif attempt["begun_at"] > line.time:
            yield f"delivery {line.delivery}: attempt {line.attempt} was called before it was committed"
        elif attempt["outcome"] not in (line.outcome, "unknown"):
            yield (
                f"delivery {line.delivery}: attempt {line.attempt} was {line.outcome} by the provider "
                f"and stands as {attempt['outcome']}"
            )
    called = {(line.delivery, line.attempt) for line in lines}
    for (id_, number), attempt in stored.attempts.items():
        outcome = attempt["outcome"]
        told = outcome not in ("unknown", "not_called", "open") and attempt["provider"] not in KEEPERS
        if told and (id_, number) not in called:
            yield f"delivery {id_}: attempt {number} stands as {outcome} and was never called"
        status = stored.deliveries[id_]["status"] if id_ in stored.deliveries else "sent"
        if outcome == "accepted" and status not in ("sent", "delivered", "bounced"):
            yield f"delivery {id_}: was taken at attempt {number}, and stands as {status}"


def _repeated(stored: Stored, lines: Sequence[Line], deaths: Sequence[Death]) -> Iterator[str]:
    """Taken twice: only what was in flight at a death, and visibly so."""
    taken: dict[UUID, list[int]] = defaultdict(list)
    for line in lines:
        if line.outcome == "accepted":
            taken[line.delivery].append(line.attempt)
    for id_, numbers in taken.items():
        for number in sorted(set(numbers))[:-1]:
            attempt = stored.attempts.get((id_, number))
            if attempt is None:
                continue  # said already
            outcome = attempt["outcome"]
            if outcome != "unknown":
                yield f"delivery {id_}: sent twice in silence, attempt {number} stands as {outcome}"
            elif not _died_with(attempt, deaths):
                yield f"delivery {id_}: sent twice, and attempt {number} was not in flight at any death"


def _unexplained(
    stored: Stored, lines: Sequence[Line], deaths: Sequence[Death], *, store_lost: bool
) -> Iterator[str]:
    """An attempt without an outcome has a reason: the provider fell silent, or its worker died."""
    outcomes = {(line.delivery, line.attempt): line.outcome for line in lines}
    for (id_, number), attempt in stored.attempts.items():
        if attempt["outcome"] == "open":
            yield f"delivery {id_}: attempt {number} is open for ever"
        if attempt["outcome"] != "unknown" or outcomes.get((id_, number)) == "unknown":
            continue
        uncalled = store_lost and (id_, number) not in outcomes
        if not uncalled and not _died_with(attempt, deaths):
            yield f"delivery {id_}: attempt {number} is unknown, and nobody died in it"


def _died_with(attempt: Mapping[str, Any], deaths: Sequence[Death]) -> bool:
    begun = attempt["begun_at"]
    return any(
        attempt["worker"] == death.process and -LAST_WORDS < death.at - begun < IN_FLIGHT_MAX
        for death in deaths
    )


def _history(stored: Stored) -> Iterator[str]:
    """Histories are whole, legal, and end where the delivery stands."""
    for id_, delivery in stored.deliveries.items():
        steps = stored.history.get(id_, [])
        if [step["n"] for step in steps] != list(range(1, delivery["history_n"] + 1)):
            yield f"delivery {id_}: {len(steps)} rows of history, and history_n is {delivery['history_n']}"
            continue
        walk = [DeliveryStatus(step["status"]) for step in steps]
        for before, after in pairwise(walk):
            if after not in NEXT[before]:
                yield f"delivery {id_}: its history goes from {before} to {after}"
        if walk[-1] != delivery["status"]:
            yield f"delivery {id_}: is {delivery['status']}, and its history ends at {walk[-1]}"


def _counted(stored: Stored) -> Iterator[str]:
    """Counters equal COUNT(*), and the status follows from them."""
    tallies: dict[UUID, Counter[str]] = defaultdict(Counter)
    for delivery in stored.deliveries.values():
        tallies[delivery["notification_id"]][bucket(DeliveryStatus(delivery["status"]))] += 1
    for id_, row in stored.notifications.items():
        for name in Counts.__struct_fields__:
            if row[name] != tallies[id_][name]:
                yield f"notification {id_}: counts {row[name]} {name}, and there are {tallies[id_][name]}"
        counts = Counts(**{name: row[name] for name in Counts.__struct_fields__})
        follows = rollup(counts, expanded=row["expanded"], cancelled=row["cancelled_at"] is not None)
        if row["status"] != follows:
            yield f"notification {id_}: is {row['status']}, and its counts say {follows}"


_ORPHANS = {
    "deliveries without a notification": """
        SELECT count(*) FROM notification_deliveries AS d
        WHERE NOT EXISTS (SELECT FROM notifications AS n WHERE n.id = d.notification_id)""",
    "deliveries without a user": """
        SELECT count(*) FROM notification_deliveries AS d
        WHERE NOT EXISTS (SELECT FROM users AS u WHERE u.id = d.user_id)""",
    "notifications without a delivery": """
        SELECT count(*) FROM notifications AS n
        WHERE n.reason IS NULL
        AND NOT EXISTS (SELECT FROM notification_deliveries AS d WHERE d.notification_id = n.id)""",
    "failed promises with deliveries": """
        SELECT count(*) FROM notifications AS n
        WHERE n.reason IS NOT NULL
        AND EXISTS (SELECT FROM notification_deliveries AS d WHERE d.notification_id = n.id)""",
    "aliases without a notification": """
        SELECT count(*) FROM notification_aliases AS a
        WHERE NOT EXISTS (SELECT FROM notifications AS n WHERE n.id = a.notification_id)""",
    "aliases that are notifications themselves": """
        SELECT count(*) FROM notification_aliases AS a JOIN notifications AS n ON n.id = a.id""",
    "attempts without a delivery": """
        SELECT count(*) FROM delivery_attempts AS a
        WHERE NOT EXISTS (SELECT FROM notification_deliveries AS d WHERE d.id = a.delivery_id)""",
    "rows of history without a delivery": """
        SELECT count(*) FROM delivery_status_history AS h
        WHERE NOT EXISTS (SELECT FROM notification_deliveries AS d WHERE d.id = h.delivery_id)""",
    "dead letters without a delivery": """
        SELECT count(*) FROM dead_letter_queue AS l
        WHERE NOT EXISTS (SELECT FROM notification_deliveries AS d
            WHERE d.id = l.delivery_id AND d.notification_id = l.notification_id)""",
    "failed deliveries without a dead letter": """
        SELECT count(*) FROM notification_deliveries AS d
        WHERE d.status = 'failed' AND NOT EXISTS (
            SELECT FROM dead_letter_queue AS l
            WHERE l.delivery_id = d.id AND (l.closed_at IS NULL OR l.resolution = 'discarded'))""",
    "idempotency keys without a notification": """
        SELECT count(*) FROM idempotency_keys AS k
        WHERE NOT EXISTS (SELECT FROM notifications AS n WHERE n.id = k.notification_id)""",
}


async def read(dsn: str) -> Stored:
    """The database's side."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            history: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
            for row in await connection.fetch(
                "SELECT delivery_id, n, status FROM delivery_status_history ORDER BY delivery_id, n"
            ):
                history[row["delivery_id"]].append(row)
            attempts = await connection.fetch(
                "SELECT delivery_id, attempt, worker, provider, outcome, begun_at FROM delivery_attempts"
            )
            deliveries = await connection.fetch(
                "SELECT id, notification_id, status, history_n, provider FROM notification_deliveries"
            )
            return Stored(
                notifications={r["id"]: r for r in await connection.fetch("SELECT * FROM notifications")},
                aliases=dict(await connection.fetch("SELECT id, notification_id FROM notification_aliases")),
                deliveries={r["id"]: r for r in deliveries},
                attempts={(r["delivery_id"], r["attempt"]): r for r in attempts},
                history=history,
                outbox=await connection.fetchval("SELECT count(*) FROM outbox"),
                orphans={words: await connection.fetchval(query) for words, query in _ORPHANS.items()},
            )
    finally:
        await connection.close()
