"""Another provider carries what one definitely has not sent; what may have been sent stays where it is."""

from collections.abc import AsyncIterator, Callable

import pytest

from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from application.provider.ports import OutboundMessage
from domain.delivery.delivery import DeliveryStatus
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from tests.support.eventually import eventually
from tests.support.virtual_time import passing
from tests.unit.engine.harness import CLOCK, World

DOWN = Deferred("503", examined=False)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    world.rows.channels["email"] = Versioned(
        Channel(channel="email", providers=("one", "two", "three")), 1, CLOCK.now()
    )
    yield world
    await world.stop()


def answering(world: World, **answers: Callable[[OutboundMessage], Outcome]) -> None:
    """Each provider answers by itself; those that are not named accept."""

    def answer(message: OutboundMessage) -> Outcome:
        provider = world.rows.attempts[message.delivery][message.attempt].provider
        return answers.get(provider, lambda _: Accepted("taken"))(message)

    world.answer = answer


def calls(world: World, id_) -> list[tuple[str, str]]:
    rows = sorted(world.rows.attempts[id_].values(), key=lambda row: row.attempt)
    return [(row.provider, row.outcome) for row in rows]


@pytest.mark.parametrize(
    "fault", [DOWN, Deferred("greylisted"), Deferred("429", retry_after=None), AccountFault("401")]
)
async def test_a_definite_failure_goes_to_the_next_at_once(world: World, fault: Outcome) -> None:
    answering(world, one=lambda _: fault)
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.all_sent([id_]), timeout=0.5)
    assert [provider for provider, _ in calls(world, id_)] == ["one", "two"]
    assert world.rows.deliveries[id_].attempts_counted == 1, "the first provider's failure cost no retry"


async def test_a_round_of_all_is_followed_by_a_wait(world: World) -> None:
    answering(world, **dict.fromkeys(("one", "two", "three"), lambda _: DOWN))
    [id_] = await world.accept()
    world.start()
    await passing(0.9)
    assert [provider for provider, _ in calls(world, id_)] == ["one", "two", "three"]
    assert world.rows.deliveries[id_].attempts_counted == 1
    await passing(5)
    assert [provider for provider, _ in calls(world, id_)][3:6] == ["one", "two", "three"]


async def test_what_may_have_been_sent_goes_to_no_other(world: World) -> None:
    answering(world, one=lambda _: Unknown("timed out"))
    [id_] = await world.accept()
    world.start()
    await passing(30)
    assert {provider for provider, _ in calls(world, id_)} == {"one"}


async def test_a_refused_recipient_is_refused(world: World) -> None:
    answering(world, one=lambda _: Refused("no such mailbox"))
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.statuses([id_]) == {DeliveryStatus.FAILED}, timeout=1)
    assert calls(world, id_) == [("one", "refused")]


async def test_what_is_sent_again_after_a_failure_begins_with_the_first(world: World) -> None:
    answering(world, one=lambda _: DOWN, two=lambda _: Refused("no such mailbox"))
    [id_] = await world.accept()
    world.start()
    await eventually(lambda: world.statuses([id_]) == {DeliveryStatus.FAILED}, timeout=1)
    assert [provider for provider, _ in calls(world, id_)] == ["one", "two"]
    assert world.rows.deliveries[id_].failovers == 0


async def test_a_breaker_that_is_open_keeps_all_from_the_provider(world: World) -> None:
    answering(world, one=lambda _: DOWN)
    ids = await world.accept(200)
    world.start()
    await eventually(lambda: world.all_sent(ids), timeout=5)
    tried = len([1 for id_ in ids if calls(world, id_)[0][0] == "one"])
    world.sent.clear()
    more = await world.accept(200)
    await eventually(lambda: world.all_sent(more), timeout=5)
    assert all(calls(world, id_) == [("two", "accepted")] for id_ in more)
    assert tried <= 200
    assert ("provider.breaker", {"provider": "one", "state": "open"}) in world.telemetry.wides


async def test_all_that_fail_make_the_lane_pause_and_probe(world: World) -> None:
    answering(world, **dict.fromkeys(("one", "two", "three"), lambda _: DOWN))
    ids = await world.accept(300)
    world.start()
    await passing(30)
    before = len(world.sent)
    await passing(25)
    assert len(world.sent) == before, "all breakers are open: nothing is called"
    answering(world)
    await eventually(lambda: world.all_sent(ids), timeout=120)
    assert not world.rows.dead_letters
