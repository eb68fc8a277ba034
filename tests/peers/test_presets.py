"""What presets send beside the services' own clients, and what the services have published.

Slack     `slack_sdk` (PyPI): the same requests, by webhook and by bot
Telegram  `python-telegram-bot` (PyPI): the same fields; it sends a form, and the API takes either
WhatsApp  `pywa` (PyPI): the same requests
Discord   `discord-api-spec` (npm): the schema of a webhook's message, in zod
Teams     nothing of its own is in a package registry: the look-alike alone
"""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import pywa
import telegram
from slack_sdk import WebClient, WebhookClient

from adapters.providers.described.http.gateway import DescribedGateway
from application.provider.ports import OutboundMessage
from domain.provider.outcome import Accepted, Outcome
from entrypoints.simulator.chat.bots import slack_bot, whatsapp
from entrypoints.simulator.chat.bots import telegram as telegram_bot
from entrypoints.simulator.chat.hooks import discord, slack
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_preset_gateways import of_preset
from tests.peers.requests import seen

TOKEN = "12345:AAH-token"
PACKAGES = Path(__file__).parents[2] / ".peers"
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Shipped*"}}]


async def ours(gateway: DescribedGateway, sent: OutboundMessage) -> Outcome:
    async with closing(gateway):
        return await gateway.send(sent)


@pytest.mark.parametrize("parts", [{}, {"blocks": BLOCKS}])
async def test_slacks_webhook_client_sends_what_we_send(parts: dict[str, Any]) -> None:
    sent = message(parts=parts)
    async with seen(slack(Simulator(ids=IDS))) as (url, requests):
        hook = f"{url}/services/T1"
        assert isinstance(await ours(of_preset("slack", token=hook), sent), Accepted)
        said = await asyncio.to_thread(WebhookClient(hook).send, text=sent.body, **parts)
    assert (said.status_code, said.body) == (200, "ok")
    assert requests[0] == requests[1]


@pytest.mark.parametrize("parts", [{}, {"blocks": BLOCKS, "thread_ts": "1.2"}])
async def test_slacks_web_client_sends_what_we_send(parts: dict[str, Any]) -> None:
    sent = message("C024BE91L", parts=parts)
    async with seen(slack_bot(Simulator(ids=IDS))) as (url, requests):
        assert isinstance(await ours(of_preset("slack_bot", token=TOKEN, api=url), sent), Accepted)
        client = WebClient(TOKEN, base_url=f"{url}/")
        said = await asyncio.to_thread(client.chat_postMessage, channel=sent.address, text=sent.body, **parts)
    assert said["ok"]
    assert requests[0] == requests[1]


async def test_telegrams_bot_sends_what_we_send() -> None:
    sent = message("123456", parts={"parse_mode": "HTML", "disable_notification": True})
    async with seen(telegram_bot(Simulator(ids=IDS))) as (url, requests):
        assert isinstance(await ours(of_preset("telegram", token=TOKEN, api=url), sent), Accepted)
        bot = telegram.Bot(TOKEN, base_url=f"{url}/bot")
        said = await bot.send_message(
            int(sent.address), sent.body or "", parse_mode="HTML", disable_notification=True
        )
        await bot.request.shutdown()
    assert said.message_id == 2
    we, they = requests
    assert (we.method, we.path, we.auth) == (they.method, they.path, they.auth)
    assert {name: str(value).lower() for name, value in we.body.items()} == {
        name: value.lower() for name, value in they.body
    }


class To(httpx.HTTPTransport):
    """Sends every request to another host, without the version in the path: the preset has it in `api`."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._host = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = "/" + request.url.raw_path.decode().split("/", 2)[2]
        request.url = self._host.copy_with(raw_path=path.encode())
        return super().handle_request(request)


@pytest.mark.parametrize("template", [False, True])
async def test_pywa_sends_what_we_send(template: bool) -> None:
    document = {"name": "shipped", "language": {"code": "de"}, "components": []}
    parts = {"type": "template", "template": document} if template else {}
    sent = message("+4930901820", parts=parts)
    async with seen(whatsapp(Simulator(ids=IDS))) as (url, requests):
        gateway = of_preset("whatsapp", token=TOKEN, api=url, phone_id="1055")
        assert isinstance(await ours(gateway, sent), Accepted)
        client = pywa.WhatsApp(phone_id="1055", token=TOKEN, session=httpx.Client(transport=To(url)))
        tracker = f"{sent.delivery}:1"
        if template:
            said = await asyncio.to_thread(
                client.send_template,
                to=sent.address,
                name="shipped",
                language=pywa.types.templates.TemplateLanguage.GERMAN,
                params=[],
                tracker=tracker,
            )
        else:
            said = await asyncio.to_thread(client.send_message, sent.address, sent.body, tracker=tracker)
    assert said.id.startswith("wamid.")
    we, they = requests
    if not template:
        they.body["text"].pop("preview_url", None)
    assert we == they


JUDGE = """
import { IncomingWebhookRequestPartialSchema as Schema } from "discord-api-spec/zod";
import { readFileSync } from "node:fs";
console.log(JSON.parse(readFileSync(0)).map((each) => Schema.safeParse(each).success));
"""


async def test_discord_has_published_what_we_send() -> None:
    if not (PACKAGES / "node_modules" / "discord-api-spec").exists():
        pytest.skip("no published description here: it needs npm when `make test-peers` sets itself up")
    parts = {"username": "Shop", "embeds": [{"title": "Shipped", "url": "https://shop.test/7"}]}
    async with seen(discord(Simulator(ids=IDS))) as (url, requests):
        for sent in (message(), message(parts=parts)):
            gateway = of_preset("discord", token=f"{url}/webhooks/hook")
            assert isinstance(await ours(gateway, sent), Accepted)
    wrong = [{"content": 7}, {"content": "x" * 2_001}, {"allowed_mentions": {"parse": ["nobody"]}}]
    documents = [*(request.body for request in requests), *wrong]
    assert await asyncio.to_thread(_judged, documents) == "[ true, true, false, false, false ]"


def _judged(documents: list[Any]) -> str:
    said = subprocess.run(
        ["node", "--input-type=module", "-e", JUDGE],
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGES,
    )
    return " ".join(said.stdout.split())
