"""A process killed while it tells operators of dead letters: another one tells them."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.conftest import SLOW_PROVIDER
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.receiver import SECRET, Receiver, receiving
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

ALERTS = """
[alerts]
networks = ["127.0.0.0/8"]
url = "{url}"
secret = "{secret}"
"""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def alarmed(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer, receiver: Receiver
) -> AsyncIterator[Shop]:
    toml = SLOW_PROVIDER + ALERTS.format(url=receiver.url, secret=SECRET)
    async with opened_shop(sandbox, postgres_server, rabbitmq_server, toml=toml) as shop:
        yield shop


async def test_killed_between_claim_and_delivery(alarmed: Shop, receiver: Receiver) -> None:
    worker = await alarmed.start("worker")
    receiver.answers = [60.0]
    command = ("send", "refuse@example.com", "--subject", "Hello", "--body", "World")
    await alarmed.command(*command)

    await eventually(lambda: len(receiver.events) == 1, timeout=30)
    await alarmed.kill(worker)
    assert await alarmed.value("SELECT count(*) FROM dead_letter_queue WHERE alerted_at IS NULL") == 1
    await alarmed.again(worker, "worker")

    await eventually(lambda: len(receiver.events) == 2, timeout=60)
    first, second = receiver.events
    assert second.is_signed()
    assert (second.id, second.event["data"]["count"]) == (first.id, 1)

    async def alerted() -> bool:
        return await alarmed.value("SELECT count(*) FROM dead_letter_queue WHERE alerted_at IS NULL") == 0

    await eventually(alerted)
