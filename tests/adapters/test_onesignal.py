"""OneSignal: what its answers mean, and what it is sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from adapters.providers.kit.settings import ProviderContext
from adapters.providers.push.onesignal import OneSignalGateway, OneSignalSettings
from adapters.system import SystemDice
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.support.answering import Answering, Said, answering
from tests.support.clock import HandClock

CONTEXT = ProviderContext(clock=HandClock(), dice=SystemDice(), call_max=timedelta(seconds=30))
ID = "b98881cc-1e94-4366-bbd9-db8f3429292b"


@asynccontextmanager
async def onesignal(answer: Said) -> AsyncIterator[tuple[OneSignalGateway, Answering]]:
    async with answering(answer) as there:
        settings = OneSignalSettings(url=there.url, app="app-1", key=Secret("os_v2_app_x"))
        async with closing(settings.gateway(CONTEXT)) as gateway:
            assert isinstance(gateway, OneSignalGateway)
            yield gateway, there


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Said(200, {"id": ID, "external_id": "x"}), Accepted(ID)),
        (
            Said(200, {"id": "", "errors": ["All included players are not subscribed"]}),
            Refused("200 no device"),
        ),
        (Said(200, {"id": ""}), Refused("200 no device")),
        (
            Said(200, {"id": ID, "errors": {"invalid_aliases": {"external_id": ["c-104"]}}}),
            Refused("200 no device"),
        ),
        (Said(200, {"id": ID, "errors": {"invalid_aliases": {"external_id": ["c-1"]}}}), Accepted(ID)),
        (Said(200, {"id": ID, "errors": {"invalid_player_ids": ["5fdc92b2"]}}), Accepted(ID)),
        (Said(200, {"id": 7}), Unknown("200, and no id in the answer")),
        (Said(400, {"errors": ["contents must not be null"]}), Refused("400 contents must not be null")),
        (Said(401, {"errors": ["Access denied"]}), AccountFault("401 Access denied")),
        (Said(403, {"errors": {"odd": 1}}), AccountFault("403")),
        (
            Said(429, {"errors": ["API rate limit exceeded."]}, {"Retry-After": "5"}),
            Deferred("429 … rate limit exceeded.", retry_after=timedelta(seconds=5)),
        ),
        (Said(502), Unknown("502")),
    ],
)
async def test_what_an_answer_means(answer: Said, outcome: Outcome) -> None:
    async with onesignal(answer) as (gateway, _):
        assert await gateway.send(message("c-104")) == outcome


async def test_an_attempt_more_is_the_same_call() -> None:
    first = message("c-104", attempt=1)
    async with onesignal(Said(200, {"id": ID})) as (gateway, there):
        await gateway.send(first)
        await gateway.send(message("c-104", delivery=first.delivery, attempt=2))
    assert {asked.json()["idempotency_key"] for asked in there.asked} == {str(first.delivery)}


@pytest.mark.parametrize(
    ("changes", "heading", "content"),
    [
        ({}, {"en": "Your order"}, "Thank you."),
        ({"subject": None}, None, "Thank you."),
        ({"body": None}, None, "Your order"),
        ({"body": None, "subject": None}, None, " "),
    ],
)
async def test_there_is_always_a_text(changes: dict[str, Any], heading: Any, content: str) -> None:
    async with onesignal(Said(200, {"id": ID})) as (gateway, there):
        await gateway.send(message("c-104", **changes))
    [asked] = there.asked
    assert asked.json().get("headings") == heading
    assert asked.json()["contents"] == {"en": content}


def test_missing_settings_are_named() -> None:
    assert [name for name, _ in OneSignalSettings().faults()] == ["app", "key"]
