"""OneSignal's own client (PyPI `onesignal-python-api`) beside our gateway, both against our look-alike."""

import asyncio
from typing import Any

import onesignal
import pytest
from onesignal.api.default_api import DefaultApi
from onesignal.model.language_string_map import LanguageStringMap
from onesignal.model.notification import Notification

from adapters.providers.push.onesignal import OneSignalSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, Outcome, Refused
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.push.onesignal import onesignal as look_alike
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.requests import seen

APP, KEY = "0a1b2c3d-0000-4000-8000-000000000001", "os_v2_app_key"
PARTS = {
    "data": {"order": "7"},
    "image": "https://shop.test/a.png",
    "link": "https://shop.test/orders/7",
    "badge": 3,
    "sound": "ding",
    "collapseKey": "order-7",
    "ttl": "PT60S",
    "urgency": "high",
}


async def ours(url: str, sent: OutboundMessage) -> Outcome:
    settings = OneSignalSettings(url=url, app=APP, key=Secret(KEY))
    async with closing(settings.gateway(CONTEXT)) as gateway:
        return await gateway.send(sent)


def theirs(url: str, sent: OutboundMessage) -> Any:
    notification = Notification(
        app_id=APP,
        include_aliases={"external_id": [sent.address]},
        target_channel="push",
        idempotency_key=str(sent.delivery),
        headings=LanguageStringMap(en=sent.subject),
        contents=LanguageStringMap(en=sent.body),
        data={
            "link": PARTS["link"],
            "order": "7",
            "posthorn_delivery": str(sent.delivery),
            "posthorn_attempt": "1",
        },
        url=PARTS["link"],
        big_picture=PARTS["image"],
        chrome_web_image=PARTS["image"],
        ios_attachments={"image": PARTS["image"]},
        ios_badge_type="SetTo",
        ios_badge_count=3,
        ios_sound="ding",
        collapse_id="order-7",
        ttl=60,
        priority=10,
    )
    with onesignal.ApiClient(onesignal.Configuration(host=url, rest_api_key=KEY)) as client:
        return DefaultApi(client).create_notification(notification)


async def test_its_client_sends_what_we_send() -> None:
    sent = message("c-104", parts=PARTS)
    async with seen(look_alike(Simulator(ids=IDS))) as (url, requests):
        accepted = await ours(url, sent)
        again = await asyncio.to_thread(theirs, url, sent)
    assert requests[0] == requests[1]
    assert accepted == Accepted(again.id)  # the same key: it got the first answer


@pytest.mark.parametrize("address", ["refuse@shop.test"])
async def test_its_client_reads_what_the_look_alike_says_of_nobody(address: str) -> None:
    async with seen(look_alike(Simulator(ids=IDS))) as (url, _):
        answer = await asyncio.to_thread(theirs, url, message(address))
        outcome = await ours(url, message(address))
    assert answer.id == ""
    assert isinstance(outcome, Refused)
