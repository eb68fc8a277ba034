"""A provider that refuses our account: nothing dies of it, nobody hammers it, and it goes on by itself."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from domain.delivery.delivery import DeliveryStatus
from domain.provider.outcome import Accepted, AccountFault, Deferred, Refused
from tests.support.eventually import eventually
from tests.support.virtual_time import passing
from tests.unit.engine.harness import CLOCK, World

HOUR = 3600.0
WRONG = AccountFault("logging in: 535 5.7.8 authentication failed")
PERHAPS = AccountFault("recipient: 554 5.7.1 Relay access denied", certain=False)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.stop()


def refuses(world: World, fault: AccountFault = WRONG) -> None:
    world.answer = lambda message: fault


def accepts(world: World) -> None:
    world.answer = lambda message: Accepted(str(message.delivery))


@pytest.mark.parametrize(("fault", "pause", "lasts"), [(WRONG, 5, HOUR), (PERHAPS, 1, HOUR / 6)])
async def test_an_hour_of_it_costs_nothing(
    world: World, fault: AccountFault, pause: int, lasts: float
) -> None:
    refuses(world, fault)
    ids = await world.accept(60) + await world.accept(90, packed=True)
    world.start()
    await passing(lasts)

    assert world.statuses(ids) == {DeliveryStatus.QUEUED}
    assert not world.rows.dead_letters
    calls = len(world.sent)
    assert calls < lasts / pause + 150, "one probe at a time"
    accepts(world)
    await eventually(lambda: world.all_sent(ids), timeout=70)
    taken = Counter(world.sent[calls:])
    assert taken == Counter(ids), "each once"
    assert [each["provider"] for each in world.telemetry.troubled_by("provider.paused")] == ["smtp"], (
        "one alert"
    )
    assert ("provider.resumed", {"provider": "smtp"}) in world.telemetry.wides


async def test_a_refused_login_spends_no_attempt(world: World) -> None:
    refuses(world)
    [id_] = await world.accept()
    world.start()
    await passing(600)
    assert len(world.rows.attempts[id_]) > 10, "it was the probe"
    assert world.rows.deliveries[id_].attempts_counted == 0
    assert {row.outcome for row in world.rows.attempts[id_].values()} == {"account_fault"}
    accepts(world)
    await eventually(lambda: world.all_sent([id_]), timeout=40)


async def test_while_it_rests_its_messages_are_not_sent_to_and_fro(world: World) -> None:
    """Not a redelivery counts against a limit, and the outbox sees a handful of messages a minute."""
    refuses(world)
    await world.accept(90, packed=True)
    world.start()
    await passing(60)
    before = max(row.seq for row in world.rows.deliveries.values())
    await passing(600)
    after = max(row.seq for row in world.rows.deliveries.values())
    assert after - before <= 600 / 25


async def test_a_probe_that_finds_a_bad_recipient_shows_that_the_account_is_good(world: World) -> None:
    refuses(world)
    ids = await world.accept(5)
    world.start()
    await passing(20)
    world.answer = lambda message: (
        Refused("no such mailbox") if message.delivery == ids[0] else Accepted("taken")
    )
    await eventually(lambda: world.statuses(ids[1:]) == {DeliveryStatus.SENT}, timeout=40)


async def test_messages_that_are_refused_for_their_sender_stop_nobody_for_long(world: World) -> None:
    bad = set(await world.accept(20))
    world.answer = lambda message: PERHAPS if message.delivery in bad else Accepted("taken")
    world.start()
    for _ in range(10):
        good = await world.accept(3)
        await passing(35)
        assert world.statuses(good) == {DeliveryStatus.SENT}
    assert world.statuses(sorted(bad)) == {DeliveryStatus.QUEUED}


async def test_the_next_provider_of_the_channel_carries_on(world: World) -> None:
    channel = Channel(channel="email", providers=("smtp", "spare"))
    world.rows.channels["email"] = Versioned(channel, 1, CLOCK.now())

    def answer(message):
        provider = world.rows.attempts[message.delivery][message.attempt].provider
        return WRONG if provider == "smtp" else Accepted(provider)

    world.answer = answer
    ids = await world.accept(80)
    world.start()
    await eventually(lambda: world.all_sent(ids), timeout=20)
    assert world.telemetry.troubled_by("provider.paused")
    assert {world.rows.deliveries[id_].provider for id_ in ids} == {"spare"}


async def test_an_unreachable_server_does_not_end_a_rest(world: World) -> None:
    refuses(world)
    ids = await world.accept(30)
    world.start()
    await passing(20)
    calls = len(world.sent)
    world.answer = lambda message: Deferred("connecting: refused", examined=False)
    await passing(600)
    assert len(world.sent) - calls < 600 / 5, "it is probed, not tried by all"
    accepts(world)
    await eventually(lambda: world.all_sent(ids), timeout=90)
