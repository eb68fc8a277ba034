"""Jobs that are interrupted: by a kill another process goes on, by whoever runs it they stop."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from application.job.advance import CHUNK
from tests.support.eventually import eventually
from tests.support.shop import Shop

LETTERS = 4 * CHUNK

_BLOCKED = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE '%dead_letter_queue%' AND pid <> pg_backend_pid()
"""


async def test_a_killed_api(shop: Shop) -> None:
    api, _ = await asyncio.gather(shop.start("api"), shop.start("worker"))
    accepted = await _dead(shop, LETTERS)
    async with _in_the_way(shop, 2 * CHUNK + CHUNK // 2):
        body = {"notificationType": "interrupted"}
        job = (await shop.call("POST", "/api/dead-letters:replay", body)).body["id"]

        async def blocked() -> bool:  # alerts wait for a lock, too, while the first chunks are at work
            return (await _stands(shop, job))[0] == 2 * CHUNK and bool(await shop.value(_BLOCKED))

        await eventually(blocked, timeout=30)
        await shop.kill(api)
    assert await _stands(shop, job) == (2 * CHUNK, False, False), "the third chunk had never begun"
    await shop.again(api, "api")

    async def finished() -> None:
        assert await _stands(shop, job) == (LETTERS, True, False)

    await eventually(finished, timeout=30)
    await shop.at_rest(LETTERS)
    assert await shop.sent() == LETTERS
    assert set(Counter(line.delivery for line in shop.calls()).values()) == {2}
    epochs = "SELECT epoch, count(*) FROM notification_deliveries GROUP BY 1"
    assert dict(await shop.fetch(epochs)) == {1: LETTERS}
    assert await shop.violations(accepted) == []


async def test_ctrl_c_at_the_command_stops_it_for_all(shop: Shop) -> None:
    api, _ = await asyncio.gather(shop.start("api"), shop.start("worker"))
    accepted = await _dead(shop, 10)
    await api.terminate()  # or it might have the chunk in hand, and the stop would wait for that
    async with _in_the_way(shop, 5):
        command = shop.child("dlq", "replay", "--all", "--yes")
        command.start()
        await eventually(lambda: shop.value(_BLOCKED), timeout=30)
        command.signal(signal.SIGINT)
        assert await command.wait(timeout=30) == 130
    await shop.again(api, "api")
    job = str(await shop.value("SELECT id FROM jobs"))
    assert f"Stopping job {job}." in command.log_text()

    async def stopped() -> None:
        assert await _stands(shop, job) == (0, True, True)

    await eventually(stopped, timeout=30)
    assert await shop.sent() == 0
    assert await shop.violations(accepted) == []


async def _dead(shop: Shop, count: int) -> list[UUID]:
    """Notifications that nobody got, but would the second time."""
    request = {
        "notificationType": "interrupted",
        "channelType": "email",
        "subject": "Hello",
        "body": "World",
    }
    ids = []
    for start in range(0, count, 1000):
        numbers = range(start, min(start + 1000, count))
        recipients = [{"email": f"refuse-1+{n}@example.com"} for n in numbers]
        ids.append((await shop.call("POST", "/api/notifications", request | {"recipients": recipients})).id)
    await shop.at_rest(count)
    return ids


@asynccontextmanager
async def _in_the_way(shop: Shop, place: int) -> AsyncIterator[None]:
    """Hold the delivery of the dead letter at this place: a job waits when it comes to it."""
    connection = await asyncpg.connect(shop.dsn)
    try:
        await connection.execute("BEGIN")
        dead_letters = "SELECT delivery_id FROM dead_letter_queue ORDER BY created_at, delivery_id, seq"
        id_ = await connection.fetchval(f"{dead_letters} OFFSET $1 LIMIT 1", place)
        await connection.execute("SELECT FROM notification_deliveries WHERE id = $1 FOR UPDATE", id_)
        yield
    finally:
        await connection.close()


async def _stands(shop: Shop, job: str) -> tuple[int, bool, bool]:
    """Letters done, finished, cancelled."""
    query = "SELECT done, finished_at IS NOT NULL, cancelled_at IS NOT NULL FROM jobs WHERE id = $1"
    [row] = await shop.fetch(query, UUID(job))
    return row[0], row[1], row[2]
