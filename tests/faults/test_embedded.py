"""Embedded mode killed in mid-stream: one process with its PostgreSQL and broker, and all of it goes on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from tests.faults.conftest import SLOW_PROVIDER
from tests.support.load import Requests
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop

DELIVERIES = 2000


@pytest.fixture
async def embedded(sandbox: Sandbox) -> AsyncIterator[Shop]:
    folder = sandbox.folder("embedded", in_memory=True)
    dsn = f"postgresql://postgres@/postgres?host={folder / 'data'}"
    shop = Shop(
        sandbox=sandbox,
        dsn=dsn,
        vhost=None,
        rabbitmq=None,
        toml=SLOW_PROVIDER,
        ledger=folder.with_suffix(".ledger.jsonl"),
    )
    yield shop
    shop.close()


async def test_killed_twice(embedded: Shop) -> None:
    shop = embedded
    everything = await shop.start("all", "--embedded", "--data", str(_data(shop)))
    await shop.prepare()
    names = await shop.users(100)
    load = Requests(shop, names, recipients=2)
    part = DELIVERIES // 2 // 4
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(2 * part))
        for share in (1, 2):
            await shop.called(share * DELIVERIES // 4)
            group.create_task(load.run(part))
            await shop.kill_in_mid_call(everything)
            await shop.again(everything, "all")
    await shop.at_rest(DELIVERIES)
    assert load.retries, "no request met a kill: nothing was tested"
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == DELIVERIES
    for death in shop.deaths:
        assert await shop.unknown_of(death), "no call was in flight at the kill: nothing was tested"


def _data(shop: Shop) -> Path:
    return Path(shop.dsn.partition("host=")[2]).parent


async def test_a_channel_of_the_api_outlasts_the_process(embedded: Shop) -> None:
    shop = embedded
    everything = await shop.start("all", "--embedded", "--data", str(_data(shop)))
    await shop.prepare()
    channel = {"providers": ["sandbox"], "addressedBy": "addresses"}
    made = await shop.call("PUT", "/api/channels/pigeon", channel)
    assert made.status == 201, made

    async def sent(address: str) -> UUID:
        body = {"notificationType": "t", "channelType": "pigeon", "body": "b"}
        recipients = [{"addresses": {"pigeon": address}}]
        return (await shop.call("POST", "/api/notifications", body | {"recipients": recipients})).id

    waiting = await sent("defer-3@loft")
    await shop.status(await sent("ada@loft"), "completed")
    await shop.kill(everything)
    await shop.again(everything, "all")
    await shop.status(await sent("eve@loft"), "completed")
    await shop.status(waiting, "completed", timeout=60)
