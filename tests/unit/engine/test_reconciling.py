"""A class that reconciles: the provider is asked what became of a call before anything is sent again."""

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from uuid import UUID

import pytest
from dependency_injector.providers import Object

from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from application.provider.ports import OutboundMessage
from config.container import Container
from domain.delivery.delivery import DeliveryStatus
from domain.delivery.policy import OnUnknown, RetryPolicy
from domain.kernel.channel import NotificationClass
from domain.provider.lookup import Absent, Certainty, Finding, Found, Unclear
from domain.provider.outcome import Accepted, Outcome, Unknown
from tests.support.eventually import eventually
from tests.support.virtual_time import passing
from tests.unit.engine.harness import CLOCK, World

S = DeliveryStatus
ASKED = Certainty(lookup_after=timedelta(seconds=30))
KEYED = Certainty(repeat_within=timedelta(minutes=5))


class AskableWorld(World):
    """Implements `Lookups`: providers say what `finding` says; `asked` has what they were asked."""

    def __init__(self) -> None:
        self.known: Certainty | None = ASKED
        self.finding: Finding = Absent()
        self.asked: list[tuple[str, frozenset[int]]] = []
        self.attempts: list[int] = []
        super().__init__()
        self.rows.channels["email"] = Versioned(
            Channel(channel="email", providers=("one", "two")), 1, CLOCK.now()
        )

    def _container(self, lease: timedelta) -> Container:
        container = super()._container(lease)
        policy = RetryPolicy(on_unknown=OnUnknown.RECONCILE)
        container.notification.policies.override(Object(dict.fromkeys(NotificationClass, policy)))
        container.provider.lookups.override(Object(self))
        return container

    async def send(self, message: OutboundMessage) -> Outcome:
        self.attempts.append(message.attempt)
        assert message.alone
        return await super().send(message)

    def certainty(self, provider: str) -> Certainty | None:
        return self.known if provider == "one" else None

    async def find(self, provider: str, _delivery: UUID, attempts: Collection[int]) -> Finding:
        self.asked.append((provider, frozenset(attempts)))
        return self.finding

    def silent_once(self) -> None:
        """The first call is not answered; later ones are accepted."""
        self.answer = lambda _: Accepted("again") if len(self.sent) else Unknown("silence")

    def unknown(self, id_: UUID) -> dict[int, str | None]:
        """What is decided about each call without an answer."""
        return {attempt: row.resolution for (of, attempt), row in self.rows.unknown.items() if of == id_}


@pytest.fixture
async def world() -> AsyncIterator[AskableWorld]:
    world = AskableWorld()
    yield world
    await world.stop()


async def test_what_is_found_is_sent_and_not_sent_again(world: AskableWorld) -> None:
    world.silent_once()
    world.finding = Found("theirs")
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.all_sent([id_]), timeout=10)
    assert len(world.sent) == 1
    assert world.asked == [("one", frozenset({1}))]
    assert world.rows.attempts[id_][2].reference == "theirs"
    assert world.unknown(id_) == {1: "sent"}


async def test_what_is_absent_is_sent_anew_when_the_provider_would_know_it(world: AskableWorld) -> None:
    world.silent_once()
    [id_] = await world.accept()
    world.start()
    await passing(25)
    assert len(world.sent) == 1, "it may only be late"
    assert world.asked
    assert world.unknown(id_) == {1: None}
    await eventually(lambda: world.all_sent([id_]), timeout=90)
    assert len(world.sent) == 2
    assert {row.provider for row in world.rows.attempts[id_].values()} == {"one"}
    assert world.unknown(id_) == {1: "resend"}


async def test_a_killed_workers_call_is_asked_for_too(world: AskableWorld) -> None:
    async def endless(_message: OutboundMessage) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    world.answer = endless
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.attempts == [1], timeout=5)
    await world.die()
    world.pass_time()
    world.answer = lambda _: Accepted("again")
    world.finding = Found("theirs")
    world.start()
    await eventually(lambda: world.all_sent([id_]), timeout=30)
    assert world.attempts == [1]
    assert world.unknown(id_) == {1: "sent"}


async def test_what_cannot_be_asked_is_held(world: AskableWorld) -> None:
    world.known = None
    world.silent_once()
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.statuses([id_]) == {S.UNKNOWN}, timeout=5)
    assert world.rows.deliveries[id_].held_at is not None
    assert len(world.sent) == 1


async def test_a_provider_that_never_says_has_it_held(world: AskableWorld) -> None:
    world.silent_once()
    world.finding = Unclear("500")
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.rows.deliveries[id_].held_at is not None, timeout=1_200)
    assert len(world.sent) == 1
    assert len(world.asked) < 60, "with backoff: ten minutes, half a minute each on average, by chance"
    assert world.unknown(id_) == {1: None}, "somebody decides"


async def test_a_call_with_a_key_is_repeated_unchanged(world: AskableWorld) -> None:
    world.known = KEYED
    world.answer = lambda _: Accepted("first") if len(world.sent) == 2 else Unknown("silence")
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.all_sent([id_]), timeout=30)
    assert world.attempts == [1, 1, 1]
    assert world.asked == []
    assert set(world.unknown(id_).values()) == {"sent"}


async def test_a_repeated_call_that_is_not_answered_is_held_when_its_key_is_forgotten(
    world: AskableWorld,
) -> None:
    world.known = KEYED
    world.answer = lambda _: Unknown("silence")
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.rows.deliveries[id_].held_at is not None, timeout=600)
    assert set(world.attempts) == {1}


async def test_a_delivery_that_ends_meanwhile_leaves_no_call_open(world: AskableWorld) -> None:
    world.silent_once()
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.asked != [], timeout=10)
    world.rows.notifications[world.rows.deliveries[id_].notification_id].cancelled_at = CLOCK.now()
    await eventually(lambda: world.statuses([id_]) == {S.CANCELLED}, timeout=30)
    assert len(world.sent) == 1
    assert world.unknown(id_) == {1: "cancelled"}
