"""The machine's clock, dice and ids."""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.system import StoreClock, SystemClock, SystemDice, SystemIds
from domain.kernel.ids import millis_of


def test_the_clock_is_aware_and_right() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.fromtimestamp(time.time(), UTC)) < timedelta(seconds=1)


def test_monotonic_time_does_not_go_back() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_dice_stay_in_range_and_differ() -> None:
    rolls = [SystemDice().chance() for _ in range(1000)]
    assert all(0 <= roll < 1 for roll in rolls)
    assert len(set(rolls)) > 990


def test_ids_of_one_millisecond_ascend() -> None:
    ids = SystemIds(lambda: 1_700_000_000_000)
    made = [ids.next() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {millis_of(one) for one in made} == {1_700_000_000_000}


def test_ids_are_uuid7_of_this_instant() -> None:
    before = time.time_ns() // 1_000_000
    made = SystemIds().next()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= millis_of(made) <= time.time_ns() // 1_000_000


@given(st.lists(st.integers(min_value=-5000, max_value=5000), min_size=2, max_size=200))
def test_ids_ascend_whatever_the_clock_does(steps: list[int]) -> None:
    now = 1_700_000_000_000
    times = iter([now := now + step for step in steps])
    ids = SystemIds(lambda: next(times))
    made = [ids.next() for _ in steps]
    assert made == sorted(set(made))


def test_a_full_millisecond_runs_over_into_the_next() -> None:
    ids = SystemIds(lambda: 1_700_000_000_000)
    ids.next()
    ids._tail = (1 << 74) - 1
    assert millis_of(ids.next()) == 1_700_000_000_001


def test_a_forked_child_makes_ids_of_its_own() -> None:
    ids = SystemIds(lambda: 1_700_000_000_000)
    ids.next()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, ids.next().bytes)
        os._exit(0)
    os.waitpid(child, 0)
    tail = (1 << 62) - 1
    ours = ids.next()
    theirs = int.from_bytes(os.read(read, 16), "big")
    assert abs((ours.int & tail) - (theirs & tail)) > 1 << 33, "both went on from the same place"


def test_ids_follow_a_clock_that_was_wrong_by_far() -> None:
    """Of a machine that starts in another year: nothing made from then on lies there."""
    now = 1_700_000_000_000
    year = 365 * 86_400_000
    for times in ([now + year, now, now + 1], [0, now, now + 1]):
        ids = SystemIds(iter(times).__next__)
        made = [ids.next() for _ in times]
        assert [millis_of(one) for one in made] == times
        assert made[1] < made[2]


class Machine:
    """Implements `Clock`: `wrong` is how far it is ahead of what is true."""

    def __init__(self, wrong: timedelta = timedelta()) -> None:
        self.wrong = wrong
        self.seconds = 50.0

    @property
    def true(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def now(self) -> datetime:
        return self.true + self.wrong

    def monotonic(self) -> float:
        return self.seconds

    def ask(self, clock: StoreClock, there: float, back: float) -> None:
        """The database's answer, after so many seconds on the way."""
        asked = clock.monotonic()
        self.seconds += there
        at = self.true
        self.seconds += back
        clock.heard(at, asked)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize("wrong", [HOUR, -HOUR, timedelta(days=-20_000), timedelta(days=100_000)])
def test_what_the_database_says_is_the_time(wrong: timedelta) -> None:
    machine = Machine(wrong)
    clock = StoreClock(machine)
    assert (clock.now(), clock.skew) == (machine.now(), None)

    machine.ask(clock, 0.004, 0.004)
    machine.seconds += 100

    assert abs(clock.now() - machine.true) < timedelta(milliseconds=1)
    assert abs(clock.skew - wrong) < timedelta(milliseconds=1)
    assert abs(clock.millis() / 1000 - machine.true.timestamp()) < 0.002


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30)), min_size=1, max_size=20))
def test_it_is_never_wrong_by_more_than_the_quickest_answer_took(ways: list[tuple[float, float]]) -> None:
    machine = Machine(HOUR)
    clock = StoreClock(machine)
    for there, back in ways:
        machine.ask(clock, there, back)
    assert abs(clock.now() - machine.true).total_seconds() <= min(map(sum, ways)) + 1e-3


def test_it_does_not_waver_with_the_network_and_follows_the_database() -> None:
    machine = Machine()
    clock = StoreClock(machine)
    machine.ask(clock, 0.001, 0.001)
    before = clock.now() - machine.true
    for _ in range(20):
        machine.ask(clock, 0.5, 0.0)
    assert abs(clock.now() - machine.true - before) < timedelta(milliseconds=1)
    clock.heard(machine.true + HOUR, clock.monotonic())  # another server took over
    assert abs(clock.now() - machine.true - HOUR) < timedelta(milliseconds=1)


def test_a_step_of_the_machines_clock_moves_nothing() -> None:
    machine = Machine()
    clock = StoreClock(machine)
    machine.ask(clock, 0.001, 0.001)
    before, machine.wrong = clock.now(), HOUR
    assert clock.now() == before
    assert abs(clock.skew - HOUR) < timedelta(milliseconds=2)
