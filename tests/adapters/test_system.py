"""The machine's clock, dice and ids."""

import os
import time
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from adapters.system import SystemClock, SystemDice, SystemIds
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
