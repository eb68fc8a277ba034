"""An id of a month without partition: it alone is refused or parked, nobody takes it for an outage."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from adapters.addresses import LocalAddresses
from adapters.crypto.vault import LocalVault
from adapters.postgres.core.database import Database
from adapters.postgres.core.partitions import Reach, ensure_partitions, may_make, reach
from adapters.postgres.intake.intake_ids import PostgresIntakeIds
from adapters.postgres.notification.acceptance import PostgresAcceptance
from adapters.postgres.template.templates import PostgresTemplates
from adapters.system import SystemClock, SystemIds
from application.intake.command import Command, seal
from application.intake.commit import CommitIntake, IntakeOutcome
from application.notification.choose_routes import ChooseRoutes
from application.notification.group_commit import GroupCommit
from application.notification.packing import Pack
from application.notification.ports import Created
from application.notification.prepare import Prepare
from application.notification.seal import Seal
from application.template.cached import CachedTemplates
from config.partitions import MEND, Partitions
from domain.kernel.errors import Misconfigured, Misplaced
from domain.kernel.ids import uuid7
from domain.notification.request import Content, Recipient, Request
from entrypoints.engine.consumer.disposition import Park, disposition
from tests.support.least_privilege import least_privileged
from tests.support.telemetry import RecordedTelemetry

VAULT = LocalVault.from_master(b"m" * 32)
IDS = SystemIds()
ODD = (uuid7(7, 7), uuid7(int(datetime(2300, 1, 1, tzinfo=UTC).timestamp() * 1000), 7))


class Desk:
    """A process's entrance over PostgreSQL, without relay."""

    waiting = 0

    def __init__(self, store: Database) -> None:
        self.prepare = Prepare(
            choose=ChooseRoutes(
                templates=CachedTemplates(templates=PostgresTemplates(database=store), clock=SystemClock()),
                channels=frozenset({"email"}),
            ),
            addresses=LocalAddresses(),
            vault=VAULT,
            ids=IDS,
        )
        self.commit = GroupCommit(
            acceptance=PostgresAcceptance(database=store, process=uuid4()),
            seal=Seal(vault=VAULT),
            pack=Pack(ids=IDS, handoff=self, backlog=100),
            handoff=self,
        )
        self.commit_intake = CommitIntake(
            key=VAULT, prepare=self.prepare, commit=self.commit, intake_ids=PostgresIntakeIds(database=store)
        )

    def offer(self, messages: object) -> None:
        """Nothing is relayed here."""

    def asked(self, n: int) -> Request:
        recipients = (Recipient(email=f"c{n}@shop.test"),)
        return Request(
            type="t", channel="email", content=Content(subject="s", body="b"), recipients=recipients
        )


@pytest.fixture
async def desk(store: Database) -> Desk:
    return Desk(store)


async def drop_month(store: Database, table: str, step: int) -> None:
    """The partition of a table for the month that many after this one."""
    rows = await store.fetch(
        "SELECT to_char((now() AT TIME ZONE 'UTC') + $1 * interval '1 month', 'YYYY_MM')", step
    )
    await store.fetch(f"DROP TABLE {table}_{rows[0][0]}")


@pytest.mark.parametrize("odd", ODD, ids=["1970", "2300"])
async def test_ten_good_requests_do_not_fail_with_one_bad(desk: Desk, store: Database, odd: UUID) -> None:
    prepared = [await desk.prepare(desk.asked(n)) for n in range(11)]
    prepared[4] = msgspec.structs.replace(prepared[4], id=odd)

    answers = await asyncio.gather(*map(desk.commit.put, prepared), return_exceptions=True)

    assert [type(answer) for answer in answers] == [Created] * 4 + [Misplaced] + [Created] * 6
    assert "posthorn migrate" in str(answers[4])
    [row] = await store.fetch("SELECT count(*) FROM notifications")
    assert row[0] == 10


@pytest.mark.parametrize("odd", ODD, ids=["1970", "2300"])
async def test_a_promise_with_such_an_id_is_parked_and_the_others_are_kept(desk: Desk, odd: UUID) -> None:
    def promise(n: int, id_: UUID) -> bytes:
        command = Command(
            id=id_, request=desk.asked(n), channel="email", template_version=None, key=None, fingerprint=b"f"
        )
        return seal(command, VAULT)

    ends = await desk.commit_intake([promise(0, IDS.next()), promise(1, odd), promise(2, IDS.next())])

    assert [end.became if isinstance(end, IntakeOutcome) else None for end in ends] == [
        "committed",
        None,
        "committed",
    ]
    park = disposition(ends[1])
    assert isinstance(park, Park)
    assert (park.crash, "posthorn migrate" in park.reason) == (None, True)


async def test_what_is_missing_is_seen_table_by_table(store: Database) -> None:
    seen = await reach(store)
    assert seen.ahead == 6
    assert 180 < (seen.until - seen.now).days < 220

    await drop_month(store, "delivery_attempts", 3)
    seen = await reach(store)
    assert seen.ahead == 2
    assert seen.until.day == 1
    assert len(await ensure_partitions(store, seen.now.date())) == 1
    assert (await reach(store)).ahead == 6

    await drop_month(store, "notifications", 0)
    gone = await reach(store)
    assert gone.ahead == -1
    assert gone.until <= gone.now


class Figures(RecordedTelemetry):
    """Remembers the figure, too."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead: list[int] = []

    def partitions_ahead(self, months: int) -> None:
        self.ahead.append(months)


async def test_whoever_may_makes_them(store: Database) -> None:
    telemetry = Figures()
    partitions = Partitions(database=store, telemetry=telemetry)
    await drop_month(store, "notifications", 4)
    await partitions.make()
    await partitions.make()
    assert [len(fields["partitions"]) for _, fields in telemetry.wides] == [1]
    assert telemetry.troubles == []


async def test_who_may_not_says_so_once_and_is_told_how(database: str, store: Database) -> None:
    telemetry = Figures()
    async with least_privileged(database) as dsn, Database(dsn) as restricted:
        assert not await may_make(restricted)
        assert await may_make(store)
        partitions = Partitions(database=restricted, telemetry=telemetry)
        await drop_month(store, "notifications", 4)
        for _ in range(3):
            await partitions.make()
        assert telemetry.troubled_by("partitions.not_ours") == [{"ahead": 3, "mend": MEND}]
        with pytest.raises(Misconfigured, match=r"docs/database\.md"):
            await ensure_partitions(restricted, datetime.now(UTC).date())


async def test_too_few_are_an_alert_and_none_for_tomorrow_is_not_ready(store: Database) -> None:
    telemetry = Figures()
    partitions = Partitions(database=store, telemetry=telemetry)
    assert partitions.fault() is None
    await partitions.look()
    assert (telemetry.troubles, partitions.fault()) == ([], None)

    for step in (2, 1):
        await drop_month(store, "delivery_status_history", step)
        await partitions.look()
        await partitions.look()
    assert telemetry.ahead == [6, 1, 1, 0, 0]
    assert [fields["ahead"] for fields in telemetry.troubled_by("partitions.low")] == [1, 0]

    await drop_month(store, "delivery_status_history", 0)
    await partitions.look()
    assert telemetry.ahead[-1] == -1
    assert MEND in str(partitions.fault())


@pytest.mark.parametrize(("now", "ready"), [((2031, 11, 29, 23), True), ((2031, 11, 30, 1), False)])
def test_the_floor_is_a_day_ahead(now: tuple[int, int, int, int], ready: bool) -> None:
    partitions = Partitions(database=None, telemetry=Figures())
    partitions._reach = Reach(0, datetime(2031, 12, 1, tzinfo=UTC), datetime(*now, tzinfo=UTC))
    assert (partitions.fault() is None) == ready
