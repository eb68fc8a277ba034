"""What operators decide about a provider, and what other processes have found out about it."""

from datetime import timedelta

import pytest

from adapters.breaker.rolling import RollingBreaker
from application.provider.announcing import HELD, Announcing
from application.provider.control_outbox import WAITING_MAX, ControlOutbox
from application.provider.follow_forced import FollowForced
from application.provider.force import ForceProvider
from application.provider.ports import BreakerState, Gateway
from application.provider.states import ProviderStates
from application.provider.steering import ControlMessage
from domain.kernel.errors import Invalid, NotFound
from domain.provider.forcing import Forced, ForcedProvider
from domain.provider.outcome import Accepted, AccountFault, Deferred
from tests.support.clock import HandClock
from tests.support.memory.catalog import MemoryForcedProviders
from tests.support.memory.rows import MemoryRows
from tests.support.telemetry import RecordedTelemetry

BOTH = ("twilio", "vonage")
BAD = Deferred("500", examined=False)


class Fleet:
    """A process, and what it tells the others."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.outbox = ControlOutbox()
        self.states = ProviderStates(
            clock=self.clock,
            watch=Announcing(inner=RecordedTelemetry(), control=self.outbox),
            breaker=lambda: RollingBreaker(self.clock),
        )
        self.store = MemoryForcedProviders(rows=MemoryRows(self.clock))
        self.follow = FollowForced(store=self.store, states=self.states, clock=self.clock)
        self.force = ForceProvider(
            store=self.store, gateways=self, follow=self.follow, control=self.outbox, clock=self.clock
        )

    def named(self, provider: str) -> Gateway | None:
        return self if provider in BOTH else None  # type: ignore[return-value]

    def chosen(self, *providers: str) -> str | None:
        route = self.states.choose(providers or BOTH)
        return route and route.provider

    def call(self, outcome: object, provider: str = "twilio") -> None:
        route = self.states.choose((provider,))
        assert route is not None
        self.states.record(route, outcome)  # type: ignore[arg-type]

    async def decide(self, forced: Forced, **more: object) -> None:
        known = {"provider": "twilio", "forced": forced, "reason": "a test", "actor": "ops"}
        await self.force(ForcedProvider(**(known | more)))  # type: ignore[arg-type]

    async def told(self) -> ControlMessage:
        return await self.outbox.next()


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


async def test_a_provider_that_is_forced_open_is_not_called(fleet: Fleet) -> None:
    await fleet.decide(Forced.OPEN)
    assert fleet.chosen() == "vonage"
    assert fleet.chosen("twilio") is None
    assert fleet.states.all_paused(["twilio"])
    assert not fleet.states.probe_due(["twilio"])
    assert fleet.states.stopped() == {"twilio": "forced"}
    assert await fleet.told() == ControlMessage(provider="twilio", forced=True)
    await fleet.decide(Forced.AUTO)
    assert fleet.chosen() == "twilio"


async def test_one_that_is_forced_closed_is_called_however_often_it_fails(fleet: Fleet) -> None:
    for _ in range(20):
        if fleet.chosen("twilio"):
            fleet.call(BAD)
    assert fleet.chosen("twilio") is None
    await fleet.decide(Forced.CLOSED)
    assert fleet.chosen() == "twilio"
    assert fleet.states.probe_due(["twilio"])
    assert not fleet.states.all_paused(["twilio"])
    for _ in range(20):
        fleet.call(BAD)
    assert fleet.chosen() == "twilio"


async def test_a_decision_ends_at_its_time(fleet: Fleet) -> None:
    await fleet.decide(Forced.OPEN, until=fleet.clock.now() + timedelta(minutes=5))
    fleet.clock.go_on(299)
    await fleet.follow()
    assert fleet.chosen() == "vonage"
    fleet.clock.go_on(2)
    await fleet.follow()
    assert fleet.chosen() == "twilio"


async def test_what_cannot_be_decided(fleet: Fleet) -> None:
    with pytest.raises(NotFound):
        await fleet.decide(Forced.OPEN, provider="nobody")
    with pytest.raises(Invalid):
        await fleet.decide(Forced.OPEN, until=fleet.clock.now())


async def test_an_opening_is_told_and_a_closing_too(fleet: Fleet) -> None:
    for _ in range(10):
        fleet.call(BAD)
    assert await fleet.told() == ControlMessage(provider="twilio", held=HELD)
    fleet.clock.go_on(61)
    for _ in range(3):
        fleet.call(Accepted("1"))
    assert await fleet.told() == ControlMessage(provider="twilio")


async def test_a_refused_account_is_told_too(fleet: Fleet) -> None:
    fleet.call(AccountFault("401"))
    told = await fleet.told()
    assert told.provider == "twilio"
    assert told.held is not None


def test_what_another_process_leaves_alone_is_left_alone_for_a_while(fleet: Fleet) -> None:
    fleet.states.hold("twilio", HELD)
    assert fleet.chosen() == "vonage"
    assert fleet.states.all_paused(["twilio"])
    assert fleet.states.stopped() == {"twilio": "held"}
    fleet.clock.go_on(HELD.total_seconds() + 1)
    assert fleet.chosen() == "twilio"
    fleet.states.hold("twilio", HELD)
    fleet.states.hold("twilio", None)
    assert fleet.chosen() == "twilio"


def test_what_others_say_is_bounded(fleet: Fleet) -> None:
    for n in range(5_000):
        fleet.states.hold(f"p{n}", HELD)
    assert len(fleet.states.stopped()) == 1_000
    fleet.states.hold("p1", timedelta(days=365))
    fleet.clock.go_on(301)
    assert fleet.chosen("p1") == "p1"


async def test_the_oldest_are_forgotten_while_nobody_can_be_told(fleet: Fleet) -> None:
    for n in range(WAITING_MAX + 5):
        fleet.outbox.notify(ControlMessage(provider=f"p{n}"))
    assert (await fleet.told()).provider == "p5"


def test_an_operator_goes_before_what_others_say(fleet: Fleet) -> None:
    fleet.states.force({"twilio": Forced.CLOSED})
    fleet.states.hold("twilio", HELD)
    assert fleet.chosen() == "twilio"
    assert BreakerState.OPEN not in fleet.states.stopped().values()
