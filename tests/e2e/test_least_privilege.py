"""Processes that log in as the role of docs/database.md: everything goes on, but for making partitions."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.least_privilege import least_privileged
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

DROP = """
DO $$ BEGIN EXECUTE 'DROP TABLE notifications_' || to_char(now() + interval '1 month', 'YYYY_MM'); END $$
"""


@pytest.fixture
async def shop(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Shop]:
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(opened_shop(sandbox, postgres_server, rabbitmq_server))
        owner = shop.dsn
        shop.dsn = await stack.enter_async_context(least_privileged(owner))
        yield shop
        shop.close()
        shop.dsn = owner


async def test_what_it_may_is_enough_and_what_it_may_not_is_said_once(
    shop: Shop, postgres_server: PostgresServer
) -> None:
    owner = shop.dsn.replace(shop.dsn.split("//")[1].split("@")[0], "postgres")
    app, shop.dsn = shop.dsn, owner
    await shop.fetch(DROP)
    old, dead = uuid4(), uuid4()
    await shop.fetch("INSERT INTO idempotency_keys VALUES ($1, 'f', $1, now() - interval '100 days')", old)
    await shop.fetch("INSERT INTO processes (id, role, host, pid) VALUES ($1, 'api', 'gone', 1)", dead)
    shop.dsn = app
    child = await shop.start("all")

    body = {"notificationType": "t", "channelType": "email", "subject": "s", "body": "b"}
    sent = [
        await shop.call(
            "POST", "/api/notifications", body | {"recipients": [{"email": address}]}, idempotency=key
        )
        for key, address in (("one", "defer-1@shop.test"), ("two", "refuse@shop.test"))
    ]
    await shop.status(sent[0].id, "completed")
    await shop.status(sent[1].id, "failed")
    replayed = await shop.call("POST", "/api/dead-letters:replay", {"all": True})
    assert replayed.status == 202
    assert (await shop.call("PUT", "/api/users/7", {"email": "ada@shop.test"})).status in (200, 201)
    assert (await shop.call("DELETE", "/api/users/7")).status == 204
    await shop.channel("email", isPaused=True)
    async with shop.events() as publish:
        await publish("user.updated", {"userId": "8", "email": "eve@shop.test"})
    await eventually(lambda: shop.value("SELECT count(*) FROM users WHERE NOT guest AND erased_at IS NULL"))

    async def tidy() -> bool:
        keys = await shop.value("SELECT count(*) FROM idempotency_keys WHERE key = $1", old)
        rows = await shop.value("SELECT count(*) FROM processes WHERE id = $1", dead)
        return (keys, rows) == (0, 0)

    await eventually(tidy)
    events = [line["event"] for line in child.log_lines()]
    assert (events.count("partitions.not_ours"), events.count("partitions.low")) == (1, 1)
    assert not [line for line in child.log_lines() if "exc_info" in line or "exception" in line]
    assert "actor.crashed" not in events
    said = (await shop.readiness("all")).body
    assert (said["ready"], set(said["parts"].values())) == (True, {"ok"})


async def test_what_the_document_does_not_grant_it_cannot_do(shop: Shop) -> None:
    """The negative control: it is not the owner after all."""
    with pytest.raises(Exception, match="must be owner"):
        await shop.fetch("ALTER TABLE notifications ADD COLUMN x int")
