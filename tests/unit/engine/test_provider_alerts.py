"""Telling operators of a provider that rests: once if it is heard, and again until it is."""

from collections import deque
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from adapters.breaker.rolling import RollingBreaker
from application.alert.providers import PAUSE_MAX, AlertPausedProviders
from application.provider.ports import Route
from application.provider.states import ProviderStates
from domain.kernel.errors import Unavailable
from domain.provider.outcome import Accepted, AccountFault
from entrypoints.engine.alerts import ProviderAlerts
from tests.support.clock import HandClock
from tests.support.telemetry import RecordedTelemetry

WRONG = AccountFault("logging in: 535 5.7.8 no login for <shop@shop.test>")


class World:
    """One process and its providers, and who is told of them."""

    def __init__(self, *, mute: bool = False) -> None:
        self.clock, self.telemetry = HandClock(), RecordedTelemetry()
        self.heard: list[Any] = []
        self.ids: list[str] = []
        self.deaf: deque[str] = deque()
        self.states = ProviderStates(
            clock=self.clock, watch=self.telemetry, breaker=lambda: RollingBreaker(self.clock)
        )
        alert = AlertPausedProviders(
            providers=self.states, hook=None if mute else self, clock=self.clock, process=uuid4()
        )
        self.alarm = ProviderAlerts(send=alert, telemetry=self.telemetry)

    async def post(self, id: str, body: bytes) -> None:  # noqa: A002  as `OperatorsHook` has it
        self.ids.append(id)
        if self.deaf:
            raise Unavailable(self.deaf.popleft())
        self.heard.append(msgspec.json.decode(body))

    def refuse(self, provider: str = "mailer") -> None:
        self.states.record(Route(provider), WRONG)

    def take(self, provider: str = "mailer") -> None:
        self.states.record(Route(provider, probe=True), Accepted("x"))

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.heard]


@pytest.fixture
def world() -> World:
    return World()


async def test_it_is_told_once_that_it_rests_and_once_that_it_goes_on(world: World) -> None:
    await world.alarm()
    world.refuse()
    for _ in range(5):
        await world.alarm()
        world.clock.go_on(10)
        world.refuse()
    assert world.kinds() == ["provider.paused"]
    world.take()
    await world.alarm()
    await world.alarm()
    assert world.kinds() == ["provider.paused", "provider.resumed"]
    rests, goes_on = world.heard
    assert rests["data"]["provider"] == goes_on["data"]["provider"] == "mailer"
    assert rests["data"]["while"] == "logging in"
    assert "535 " not in str(world.heard), "nothing that a provider said"
    world.refuse()
    await world.alarm()
    assert world.kinds()[2:] == ["provider.paused"], "another time, another event"
    assert len(set(world.ids)) == 3


async def test_each_provider_is_told_of(world: World) -> None:
    world.refuse("one")
    world.refuse("two")
    await world.alarm()
    assert {event["data"]["provider"] for event in world.heard} == {"one", "two"}


async def test_who_is_not_heard_tells_it_again_with_growing_pauses(world: World) -> None:
    world.deaf.extend(["answered 500"] * 6)
    world.refuse()
    while not world.heard:
        await world.alarm()
        world.clock.go_on(1)
    assert world.clock.monotonic() > 2 + 4 + 8 + 16 + 32 + 64 - 1
    assert len(set(world.ids)) == 1, "who gets it twice can tell"
    faults = world.telemetry.troubled_by("alert.undelivered")
    assert faults == [{"provider": "mailer", "reason": "answered 500"}] * 6


async def test_old_news_is_not_told(world: World) -> None:
    world.deaf.extend(["away"])
    world.refuse()
    await world.alarm()
    world.take()
    world.clock.go_on(PAUSE_MAX)
    await world.alarm()
    assert world.kinds() == ["provider.resumed"]


async def test_without_an_address_the_log_has_said_it() -> None:
    world = World(mute=True)
    world.refuse()
    await world.alarm()
    [said] = world.telemetry.troubled_by("provider.paused")
    assert said == {"provider": "mailer", "reason": WRONG.reason}
