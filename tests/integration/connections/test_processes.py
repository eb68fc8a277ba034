"""A process behind a proxy whose servers are down: it says so, and goes on by itself when they are back."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

REQUEST = {
    "notificationType": "order_confirmation",
    "channelType": "email",
    "templateId": "order_confirmation_email",
    "recipients": ["customer-0"],
    "data": {"orderId": "124", "total": 99.99, "items": []},
}


@pytest.fixture
async def shop(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Shop]:
    async with opened_shop(sandbox, postgres_server, rabbitmq_server) as shop:
        await shop.users(1)
        yield shop


async def test_an_api_whose_broker_is_gone_says_so_and_publishes_again(shop: Shop) -> None:
    """Ready for a while, since what it accepts goes out soon; not for long, since nobody knows when."""
    async with FaultProxy(shop.broker.amqp_url) as proxy:
        through = {"POSTHORN_AMQP__URL": proxy.url, "POSTHORN_RELAY__AWAY_MAX": "4s"}
        api = await shop.start("api", env=through)
        proxy.bar()
        accepted = [await asked(shop) for _ in range(5)]
        assert (await shop.readiness("api")).status == 200

        async def unready() -> None:
            said = await shop.readiness("api")
            assert said.status == 503
            assert "nothing could be published" in said.body["parts"]["publishing"]

        await eventually(unready)
        assert (await asked(shop)) not in accepted, "it accepts all the same"
        assert await shop.value("SELECT count(*) FROM outbox") == 6
        proxy.heal()
        await api.ready(f"{shop.urls['api']}/readyz")
        await eventually(lambda: shop.value("SELECT count(*) = 0 FROM outbox"))
        figures = await metrics(shop)
        assert 'posthorn_task_ends_total{end="lost",task="amqp publisher"} 1.0' in figures
        assert 'end="crashed"' not in figures
        ends = [line for line in api.log_lines() if line.get("event") == "task.ended"]
        assert {"amqp publisher", "amqp consumer"} == {line["task"] for line in ends}


async def asked(shop: Shop) -> str:
    return str((await shop.call("POST", "/api/notifications", REQUEST)).id)


async def metrics(shop: Shop) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{shop.urls['api']}/metrics") as answer:
        return await answer.text()
