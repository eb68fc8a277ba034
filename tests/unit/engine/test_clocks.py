"""Processes whose clocks are wrong: what they decide is decided on the clock of the rows."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.system import StoreClock
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import NotificationClass
from domain.provider.outcome import Accepted, Deferred
from tests.support.eventually import eventually
from tests.unit.engine.harness import CLOCK, World

WAIT = 30
WRONG = [timedelta(seconds=10), timedelta(minutes=10), timedelta(minutes=-10), timedelta(days=-20_000)]


class WrongClock:
    """Implements `Clock`; its monotonic time began at another moment, too."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return CLOCK.now() + self.ahead

    def monotonic(self) -> float:
        return CLOCK.monotonic() + 12_345.0


async def sent_on_second_try(world: World) -> tuple[float, int]:
    """A code that the provider puts off for `WAIT`: seconds until it is sent, and how many leases."""
    leases: list[object] = []
    world.deliveries.fault["lease"] = leases.append
    answers = iter([Deferred("slow down", retry_after=timedelta(seconds=WAIT)), Accepted("taken")])
    world.answer = lambda message: next(answers)
    [id_] = await world.accept(klass=NotificationClass.OTP)
    row, started = world.rows.deliveries[id_], CLOCK.monotonic()
    world.start()
    ends = (DeliveryStatus.SENT, DeliveryStatus.FAILED)
    await eventually(lambda: row.status in ends, timeout=5000)
    took = CLOCK.monotonic() - started
    await world.stop()
    assert (row.status, row.reason) == (DeliveryStatus.SENT, None)
    return took, len(leases)


@pytest.mark.parametrize("ahead", WRONG, ids=str)
async def test_a_process_that_has_heard_the_database_is_as_punctual_as_any(ahead: timedelta) -> None:
    clock = StoreClock(WrongClock(ahead))
    clock.heard(CLOCK.now(), clock.monotonic())
    took, leases = await sent_on_second_try(World(clock=clock))
    assert WAIT <= took < WAIT + 3
    assert leases == 2


@pytest.mark.parametrize("ahead", WRONG, ids=str)
async def test_the_engine_decides_on_the_clock_that_comes_with_the_facts(ahead: timedelta) -> None:
    world = World(clock=WrongClock(ahead))
    world.relay.relay = replace(world.relay.relay, clock=CLOCK)
    took, leases = await sent_on_second_try(world)
    assert WAIT <= took < WAIT + 3
    assert leases == 2


async def test_a_relay_that_takes_everything_for_due_sends_a_pointer_round_once_a_second() -> None:
    world = World()
    world.relay.relay = replace(world.relay.relay, clock=WrongClock(timedelta(hours=1)))
    took, leases = await sent_on_second_try(world)
    assert WAIT <= took < WAIT + 3
    assert leases <= WAIT + 2
