"""A probe of a push provider goes to all devices of one user, and is one call for the breaker."""

from uuid import UUID

import pytest

from adapters.breaker.rolling import OPEN_FOR, RollingBreaker
from application.delivery.push import PushPlan, send_to_each
from application.provider.ports import BreakerState, OutboundMessage
from application.provider.states import ProviderStates
from domain.delivery.policy import RetryPolicy
from domain.device.plan import Target
from domain.provider.outcome import Accepted, Deferred, Outcome
from tests.support.clock import HandClock
from tests.support.telemetry import RecordedTelemetry

DOWN = Deferred("503", examined=False)


class Fcm:
    """Answers each device as it is told."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)

    async def send(self, message: OutboundMessage) -> Outcome:
        return self._outcomes.pop(0)


class Fleet:
    """A provider whose breaker is half-open, and the probe that was let through."""

    def __init__(self) -> None:
        clock = HandClock()
        self.breaker = RollingBreaker(clock)
        self.states = ProviderStates(clock=clock, watch=RecordedTelemetry(), breaker=lambda: self.breaker)
        for _ in range(10):
            route = self.states.choose(["fcm"])
            assert route is not None
            self.states.record(route, DOWN)
        clock.go_on(OPEN_FOR)

    async def probe(self, *outcomes: Outcome) -> None:
        route = self.states.choose(["fcm"])
        assert route is not None
        assert route.probe
        ids = [bytes([n]) for n in range(len(outcomes))]
        group = tuple(Target(id=each, service="fcm") for each in ids)
        plan = PushPlan(
            targets=group,
            addresses={each: each.hex() for each in ids},
            seen={},
            reach={"fcm": frozenset({"fcm"})},
            group=group,
        )
        message = OutboundMessage(
            delivery=UUID(int=1), attempt=1, channel="push", type="t", address="", body="Hello"
        )
        await send_to_each(Fcm(*outcomes), message, plan, route, self.states, RetryPolicy())


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


async def test_one_user_with_many_devices_closes_no_breaker(fleet: Fleet) -> None:
    await fleet.probe(*[Accepted(str(n)) for n in range(5)])
    assert fleet.breaker.state is BreakerState.HALF_OPEN
    for _ in range(2):
        await fleet.probe(Accepted("1"))
    assert fleet.breaker.state is BreakerState.CLOSED


async def test_a_probe_gives_one_place_back(fleet: Fleet) -> None:
    for _ in range(2):
        assert fleet.states.choose(["fcm"]) is not None
    await fleet.probe(*[Accepted(str(n)) for n in range(5)])
    assert fleet.states.choose(["fcm"]) is not None
    assert fleet.states.choose(["fcm"]) is None


async def test_the_worst_of_its_outcomes_counts(fleet: Fleet) -> None:
    await fleet.probe(Accepted("1"), DOWN, Accepted("2"))
    assert fleet.breaker.state is BreakerState.OPEN
