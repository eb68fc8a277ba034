"""A channel that nobody has programmed: added by calls of the API while all processes run."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from config.catalog import load_presets
from entrypoints.simulator.chat.bots import whatsapp
from entrypoints.simulator.kit import Simulator
from tests.contract.http_gateway import simulated
from tests.support.accepting import IDS
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.process import Child
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

LOCAL = """
[described]
networks = ["127.0.0.0/8"]
"""
TOKEN = {"CHANNEL_SECRET_WHATSAPP": "EAAG-token"}


class Running(NamedTuple):
    """A shop whose processes know nothing of WhatsApp, and the service's look-alike."""

    shop: Shop
    workers: list[Child]
    simulator: Simulator
    url: str


@pytest_asyncio.fixture(loop_scope="function")
async def running(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Running]:
    simulator = Simulator(ids=IDS)
    async with (
        opened_shop(sandbox, postgres_server, rabbitmq_server, toml=LOCAL) as shop,
        simulated(whatsapp(simulator)) as url,
    ):
        started = await asyncio.gather(
            shop.start("api", env=TOKEN),
            shop.start("worker", env=TOKEN),
            shop.start("worker", env=TOKEN),
        )
        yield Running(shop, list(started[1:]), simulator, url)


async def put(shop: Shop, path: str, body: Any, **headers: str) -> Any:
    answer = await shop.call("PUT", path, body, headers=headers)
    assert answer.status in (200, 201), answer
    return answer


def preset(url: str) -> Any:
    [found] = [each for each in load_presets() if each.name == "whatsapp"]
    description = msgspec.to_builtins(found.description)
    description["variables"] |= {"api": url, "phone_id": "1055"}
    return description


async def send(shop: Shop, **changes: Any) -> UUID:
    body = {"notificationType": "shipped", "templateId": "shipped_whatsapp", "recipients": ["lisa"]}
    return (await shop.call("POST", "/api/notifications", body | changes)).id


@pytest.mark.timeout(180)
async def test_whatsapp_is_added_sends_changes_and_goes_while_everything_runs(running: Running) -> None:
    shop, simulator = running.shop, running.simulator
    before = [child.pid for child in shop.children]
    await put(shop, "/api/providers/cloud", preset(running.url))
    await put(shop, "/api/channels/whatsapp", {"providers": ["cloud"], "addressedBy": "phone"})
    await put(shop, "/api/users/lisa", {"phone": "+4930901820", "name": "Lisa"})
    template = {
        "id": "shipped_whatsapp",
        "name": "Shipped",
        "channelType": "whatsapp",
        "bodyTemplate": "Hello {{ recipient.name }}, {{ order }} is on its way.",
        "variables": {"order": {"required": True}},
    }
    made = await shop.call("POST", "/api/templates", template)
    assert made.status == 201, made

    sent = await send(shop, data={"order": "7"})
    again = await send(shop, data={"order": "8"}, priority="critical")
    await asyncio.gather(shop.status(sent, "completed"), shop.status(again, "completed"))

    assert sorted(got.document["text"]["body"] for got in simulator.got) == [
        "Hello Lisa, 7 is on its way.",
        "Hello Lisa, 8 is on its way.",
    ]
    assert {got.address for got in simulator.got} == {"+4930901820"}
    [delivery] = await shop.listed(sent, "deliveries")
    assert delivery["id"] in {str(got.delivery) for got in simulator.got}
    told = await shop.call("GET", "/api/channels/whatsapp")
    assert told.body["addressedBy"] == "phone"
    await eventually(lambda: all("lanes.begun" in _events(worker) for worker in running.workers))

    await shop.command("topology", "check")
    await shop.command("topology", "apply")
    await shop.command("recover", "--lane", "whatsapp.low", "--yes")

    changed = preset(running.url)
    changed["body"]["document"]["text"]["body"] = "NEW {{ message.body }}"
    await put(shop, "/api/providers/cloud", changed, **{"If-Match": '"1"'})

    async def new() -> None:
        last = await send(shop, data={"order": "9"})
        await shop.status(last, "completed")
        assert simulator.got[-1].document["text"]["body"].startswith("NEW ")

    await eventually(new, timeout=10)

    failed = await send(shop, data={"order": "x"}, recipients=[{"phone": "+49170999100"}])
    await shop.status(failed, "failed")
    waits = await send(shop, data={"order": "x"}, recipients=[{"phone": "+49170999202"}])
    await shop.status(waits, "completed", timeout=40)  # deferred twice: by the delay ladder

    await put(
        shop, "/api/channels/whatsapp", {"providers": ["cloud"], "isEnabled": False}, **{"If-Match": '"1"'}
    )

    async def gone() -> None:
        removed = await shop.call("DELETE", "/api/channels/whatsapp", headers={"If-Match": '"2"'})
        assert removed.status == 204, removed

    await eventually(gone, timeout=30, interval=1)
    await eventually(lambda: all("lanes.ended" in _events(worker) for worker in running.workers))
    refused = await shop.call(
        "POST",
        "/api/notifications",
        {"notificationType": "t", "channelType": "whatsapp", "body": "b", "recipients": ["lisa"]},
    )
    assert refused.status == 422, refused
    removed = await shop.call("DELETE", "/api/providers/cloud", headers={"If-Match": '"2"'})
    assert removed.status == 204, removed
    assert [child.pid for child in shop.children] == before
    for child in shop.children:
        assert "actor.crashed" not in _events(child)
        assert "EAAG-token" not in child.log_text()
        assert "4930901820" not in child.log_text()


def _events(child: Child) -> list[str]:
    return [line["event"] for line in child.log_lines()]
