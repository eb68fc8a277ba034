"""The check itself is checked: each violation, planted alone, is found and named."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.delivery.deliveries import PostgresDeliveries
from adapters.postgres.intake.intake_ids import PostgresIntakeIds
from adapters.postgres.notification.acceptance import PostgresAcceptance
from adapters.postgres.outbox.rows import PostgresOutbox
from application.delivery.ports import Begin, Leased, Settlement
from application.intake.ports import FailedNotification
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Mode, NotificationClass
from tests.support.accepting import EMAIL, IDS, notification, pack, pointers, user
from tests.support.ground_truth import IN_FLIGHT_MAX, Death, read_ledger, violations

LEASE = timedelta(seconds=11)
WORKER, SUCCESSOR = UUID(int=1), UUID(int=2)


class World:
    """Three notifications, sent to two users each; one delivery was in flight when its worker died."""

    def __init__(self, dsn: str, store: Database, ledger: Path) -> None:
        self.dsn, self.store, self.ledger = dsn, store, ledger
        self.accepted: list[UUID] = []
        self.deaths: list[Death] = []
        self.twice = self.once = UUID(int=0)

    async def build(self) -> None:
        made = [notification(user(), user()) for _ in range(3)]
        for n in made:
            users = [user(id=delivery.user) for delivery in n.deliveries]
            await PostgresAcceptance(database=self.store, process=WORKER).accept([n], users, pack)
        self.accepted = [n.id for n in made]
        self.once, self.twice = made[0].deliveries[0].id, made[1].deliveries[0].id
        worker = PostgresDeliveries(database=self.store, process=WORKER, ids=IDS)
        begun = await self.begin(worker, pointers(*made))
        settled = [leased for leased in begun if leased.id != self.twice]
        await worker.settle([_sent(leased) for leased in settled])
        self.deaths = [Death(WORKER, datetime.now(UTC))]
        await self.execute("UPDATE notification_deliveries SET lease_until = now() WHERE status = 'sending'")
        successor = PostgresDeliveries(database=self.store, process=SUCCESSOR, ids=IDS)
        again = await self.begin(successor, [p for p in pointers(*made) if p.delivery == self.twice])
        await successor.settle([_sent(leased) for leased in again])
        outbox = PostgresOutbox(database=self.store, process=WORKER)
        await outbox.delete([message.id for message in await outbox.owned(100)])

    async def begin(self, worker: PostgresDeliveries, wanted: Sequence[Any]) -> list[Leased]:
        """Lease, begin, and the provider accepts."""
        leases = await worker.lease(wanted, lease=LEASE)
        begins = [Begin(delivery=t.id, attempt=t.attempt, provider="sandbox") for t in leases.taken]
        await worker.begin(begins, cleared_at=leases.facts_at)
        for taken in leases.taken:
            self.call(taken.id, taken.attempt)
        return leases.taken

    def call(self, delivery: UUID, attempt: int, outcome: str = "accepted") -> None:
        line = {
            "time": datetime.now(UTC).isoformat(),
            "delivery": str(delivery),
            "attempt": attempt,
            "outcome": outcome,
        }
        with self.ledger.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def forget_calls(self, delivery: UUID) -> None:
        lines = self.ledger.read_text().splitlines()
        self.ledger.write_text("".join(f"{line}\n" for line in lines if str(delivery) not in line))

    async def execute(self, statement: str, *arguments: Any) -> None:
        await self.store.fetch(statement, *arguments)

    async def found(self, **changes: Any) -> list[str]:
        given: dict[str, Any] = {"accepted": self.accepted, "deaths": self.deaths} | changes
        return await violations(self.dsn, read_ledger(self.ledger), **given)


def _sent(leased: Leased) -> Settlement:
    return Settlement(
        delivery=leased.id,
        attempt=leased.attempt,
        status=DeliveryStatus.SENT,
        outcome="accepted",
        reference="ref",
        latency=timedelta(milliseconds=3),
    )


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with Database(database) as store:
        world = World(database, store, tmp_path / "ledger.jsonl")
        await world.build()
        yield world


async def test_a_kept_promise_has_no_violations(world: World) -> None:
    assert await world.found() == []


async def test_a_lost_notification_is_found(world: World) -> None:
    lost = uuid4()
    assert await world.found(accepted=[*world.accepted, lost]) == [
        f"notification {lost}: answered as accepted, and not in the database"
    ]


async def test_a_lost_delivery_is_found(world: World) -> None:
    world.forget_calls(world.once)
    assert await world.found() == [
        f"delivery {world.once}: stands as sent, and the provider never took it",
        f"delivery {world.once}: attempt 1 stands as accepted and was never called",
    ]


async def test_a_call_that_was_not_committed_is_found(world: World) -> None:
    world.call(world.once, 7)
    assert f"delivery {world.once}: called at attempt 7, which was never committed" in await world.found()


async def test_an_attempt_called_twice_is_found(world: World) -> None:
    world.call(world.once, 1)
    assert await world.found() == [f"delivery {world.once}: attempt 1 was called 2 times"]


async def test_a_silent_duplicate_is_found(world: World) -> None:
    await world.execute(
        "UPDATE delivery_attempts SET outcome = 'deferred' WHERE delivery_id = $1 AND attempt = 1",
        world.twice,
    )
    assert f"delivery {world.twice}: sent twice in silence, attempt 1 stands as deferred" in (
        await world.found()
    )


async def test_a_duplicate_without_a_death_is_found(world: World) -> None:
    duplicate = f"delivery {world.twice}: sent twice, and attempt 1 was not in flight at any death"
    assert duplicate in await world.found(deaths=[])
    assert duplicate in await world.found(deaths=[Death(SUCCESSOR, world.deaths[0].at)])
    later = Death(WORKER, world.deaths[0].at + IN_FLIGHT_MAX)
    assert duplicate in await world.found(deaths=[later])


async def test_an_unknown_that_nobody_died_in_is_found(world: World) -> None:
    words = f"delivery {world.twice}: attempt 1 is unknown, and nobody died in it"
    assert words in await world.found(deaths=[])
    assert words in await world.found(deaths=[], store_lost=True)


async def test_an_open_attempt_and_an_open_delivery_are_found(world: World) -> None:
    await world.execute("UPDATE delivery_attempts SET outcome = 'open' WHERE delivery_id = $1", world.once)
    await world.execute("UPDATE notification_deliveries SET status = 'sending' WHERE id = $1", world.once)
    found = await world.found()
    assert f"delivery {world.once}: attempt 1 is open for ever" in found
    assert f"delivery {world.once}: still sending" in found


async def test_a_counter_that_is_off_is_found(world: World) -> None:
    id_ = world.accepted[0]
    await world.execute("UPDATE notifications SET sent = 3, status = 'failed' WHERE id = $1", id_)
    assert await world.found() == [
        f"notification {id_}: counts 3 sent, and there are 2",
        f"notification {id_}: is failed, and its counts say completed",
    ]


DELIVERY = "UPDATE notification_deliveries SET {} WHERE id = $1"
ATTEMPT = "UPDATE delivery_attempts SET {} WHERE delivery_id = $1"
DAMAGE = [
    (DELIVERY.format("status = 'unknown'"), "its history ends at sent"),
    (DELIVERY.format("status = 'failed'"), "failed deliveries without a dead letter"),
    (DELIVERY.format("status = 'failed'"), "was taken at attempt 1"),
    (DELIVERY.format("user_id = id"), "deliveries without a user"),
    (DELIVERY.format("notification_id = id"), "deliveries without a notification"),
    (DELIVERY.format("history_n = 4"), "3 rows of history, and history_n is 4"),
    ("DELETE FROM notification_deliveries WHERE id = $1", "attempts without a delivery"),
    ("DELETE FROM notification_deliveries WHERE id = $1", "rows of history without a delivery"),
    (ATTEMPT.format("begun_at = begun_at + interval '1 h'"), "was called before"),
    (ATTEMPT.format("outcome = 'refused'"), "stands as refused"),
    (
        "UPDATE delivery_status_history SET status = 'bounced' WHERE delivery_id = $1 AND n = 2",
        "queued to bounced",
    ),
    (
        "INSERT INTO outbox (id, owner, queue, body, priority) VALUES ($1, $1, 'deliver.email.low', '', 3)",
        "1 messages are left",
    ),
    (
        "INSERT INTO idempotency_keys (key, fingerprint, notification_id) VALUES ($1, '', $1)",
        "keys without a notification",
    ),
    (
        "INSERT INTO dead_letter_queue"
        " (delivery_id, seq, notification_id, channel, priority, reason, attempts)"
        " VALUES ($1, 1, $1, 'email', 2, '', 1)",
        "dead letters without a delivery",
    ),
    (
        "INSERT INTO notification_aliases (id, notification_id) VALUES ($1, $1)",
        "aliases without a notification",
    ),
    (
        "INSERT INTO notification_aliases (id, notification_id)"
        " SELECT notification_id, notification_id FROM notification_deliveries WHERE id = $1",
        "aliases that are notifications",
    ),
    (
        "UPDATE notifications SET reason = 'x'"
        " WHERE id = (SELECT notification_id FROM notification_deliveries WHERE id = $1)",
        "failed promises with deliveries",
    ),
]


@pytest.mark.parametrize(("change", "words"), DAMAGE)
async def test_planted_damage_is_found(world: World, change: str, words: str) -> None:
    await world.execute(change, world.once)
    assert any(words in found for found in await world.found())


async def test_a_notification_without_deliveries_is_found(world: World) -> None:
    id_ = world.accepted[2]
    await world.execute("DELETE FROM notification_deliveries WHERE notification_id = $1", id_)
    found = await world.found()
    assert f"notification {id_}: has no delivery, and does not say why" in found
    assert "1 notifications without a delivery" in found


async def test_another_name_counts_as_what_it_stands_for(world: World) -> None:
    alias = uuid4()
    await world.execute("INSERT INTO notification_aliases VALUES ($1, $2)", alias, world.accepted[0])
    assert await world.found(accepted=[*world.accepted, alias]) == []


async def test_a_promise_that_failed_and_says_why_is_no_loss(world: World) -> None:
    promise = FailedNotification(
        id=IDS.next(),
        mode=Mode.LIVE,
        type="t",
        klass=NotificationClass.OTP,
        lane=EMAIL,
        template_id=None,
        template_version=None,
        metadata=None,
        created_by=None,
        traceparent=None,
        reason="no active template",
    )
    await PostgresIntakeIds(database=world.store).fail([promise])
    assert await world.found(accepted=[*world.accepted, promise.id]) == []
