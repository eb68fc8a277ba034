"""What every fault is done to: a shop whose provider takes its time, so that calls are in flight."""

from collections.abc import AsyncIterator

import pytest

from tests.support.broker import RabbitServer
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

SLOW_PROVIDER = """
[providers.sandbox]
kind = "sandbox"
latency = "300ms"

[engine]
call_max = "1s"
lease = "11s"

[relay]
sweep = "1s"
"""


@pytest.fixture
async def shop(
    sandbox: Sandbox, postgres_server: PostgresServer, killable_rabbitmq: RabbitServer
) -> AsyncIterator[Shop]:
    async with opened_shop(sandbox, postgres_server, killable_rabbitmq, toml=SLOW_PROVIDER) as shop:
        yield shop
