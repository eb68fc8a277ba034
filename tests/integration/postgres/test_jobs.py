"""Jobs and alerts on PostgreSQL: who dies in the middle of a chunk has done nothing, and another goes on."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from adapters.postgres.alert.alerts import ALERTED_CHUNK, PostgresAlerts
from adapters.postgres.core.database import Database
from adapters.postgres.job.jobs import PostgresJobChunks, unfinished_count
from application.job.ports import JobStatus
from application.outbox.pointers import decode
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.errors import StoreUnavailable
from tests.contract.alerts import LONG, NONE
from tests.contract.dead_letters import failed
from tests.contract.engine import PostgresEngine
from tests.contract.jobs import job, run, seen
from tests.support.accepting import IDS
from tests.support.eventually import eventually

_BLOCKED = """
SELECT pid FROM pg_stat_activity WHERE application_name = 'doomed' AND wait_event_type = 'Lock'
"""


@pytest.fixture
async def doomed(database: str) -> AsyncIterator[PostgresJobChunks]:
    """The runner of a process that will be killed."""
    async with Database(database, application_name="doomed") as store:
        yield PostgresJobChunks(database=store, process=uuid4(), ids=IDS)


async def test_a_runner_killed_within_a_chunk(
    store: Database, database: str, doomed: PostgresJobChunks
) -> None:
    engine = PostgresEngine(store)
    taken = [await failed(engine) for _ in range(12)]
    made = await job(engine)
    assert (await doomed.advance(made.id, 4)) is not None
    in_the_way = await asyncpg.connect(database)
    transaction = in_the_way.transaction()
    await transaction.start()
    # It will have closed letters and moved deliveries of its chunk before it comes to this one.
    last = sorted(each.id for each in taken[4:8])[-1]
    await in_the_way.execute("SELECT FROM notification_deliveries WHERE id = $1 FOR UPDATE", last)

    chunk = asyncio.create_task(doomed.advance(made.id, 4))
    [row] = await eventually(lambda: store.fetch(_BLOCKED))
    assert await engine.job_chunks().advance(made.id, 4) is None, "others pass by"
    await store.fetch("SELECT pg_terminate_backend($1)", row["pid"])
    with pytest.raises(StoreUnavailable):
        await chunk
    await transaction.rollback()
    await in_the_way.close()
    assert (await seen(engine, made)).done == 4, "nothing of its chunk is left"

    after = await run(engine, made, chunk=4)

    assert (after.status, after.total, after.done, after.skipped) == (JobStatus.COMPLETED, 12, 12, 0)
    assert await unfinished_count(store) == 0
    rows = [await engine.delivery(each.id) for each in taken]
    assert {(row.status, row.epoch) for row in rows} == {(DeliveryStatus.QUEUED, 1)}
    issued = [pointer for each in await engine.messages() for pointer in decode(each.message.body)]
    assert sorted((p.delivery, p.seq) for p in issued) == sorted((row.id, row.seq) for row in rows)
    owners = {each.owner for each in await engine.messages()}
    assert owners == {doomed.process, engine.me}, "what the dead one committed is adopted as ever"
    for each in taken:
        await engine.assert_counted(each.notification)


async def test_many_letters_are_told_of_in_chunks(store: Database) -> None:
    await store.fetch(
        """
        INSERT INTO dead_letter_queue (
            delivery_id, seq, notification_id, mode, type, channel, priority, reason, fingerprint, attempts,
            created_at
        )
        SELECT
            gen_random_uuid(), 1, gen_random_uuid(), 'live', 't', 'email', 2, 'r', 'f' || n % 2, 1,
            now() - n * interval '1 ms'
        FROM generate_series(1, $1::int) AS n
        """,
        2 * ALERTED_CHUNK + 4,
    )
    alerts = PostgresAlerts(database=store)

    first = await alerts.claim(quiet=NONE, span=LONG)
    assert first is not None
    await alerts.record_alerted(first)
    second = await alerts.claim(quiet=NONE, span=LONG)

    assert second is not None
    assert (first.count, second.count) == (ALERTED_CHUNK + 2, ALERTED_CHUNK + 2)
    assert first.fingerprint != second.fingerprint
    unalerted = await store.fetch(
        "SELECT DISTINCT fingerprint FROM dead_letter_queue WHERE alerted_at IS NULL"
    )
    assert [row[0] for row in unalerted] == [second.fingerprint]
