"""What a `Breaker` must do: a table of calls and times."""

from collections.abc import Iterable

import pytest

from application.provider.ports import Breaker, BreakerState, CallResult

GOOD, BAD, NONE = CallResult.SUCCEEDED, CallResult.FAILED, CallResult.NOTHING


class Moments:
    """A clock that stands still until it is set; seconds."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


def called(breaker: Breaker, results: Iterable[CallResult]) -> None:
    """Make these calls, one after the other; each must be let through."""
    for result in results:
        admission = breaker.admit()
        assert admission is not None
        breaker.record(admission, result)


class BreakerContract:
    """Subclasses have the fixtures `moments` and `breaker`, which goes by it."""

    @pytest.mark.parametrize(
        ("calls", "opens"),
        [
            ([], False),
            ([GOOD] * 200, False),
            ([BAD] * 9, False),  # too few to judge by
            ([BAD] * 10, True),
            ([GOOD, BAD] * 5, True),
            ([GOOD] * 6 + [BAD] * 5, False),
            ([GOOD] * 100 + [BAD] * 49, False),
            ([GOOD] * 100 + [BAD] * 50, True),
            ([NONE] * 500, False),
            ([BAD] * 9 + [NONE] * 50 + [BAD], True),  # neither one nor the other
        ],
        ids=range(10),
    )
    def test_half_of_the_last_calls_open_it(
        self, breaker: Breaker, calls: list[CallResult], opens: bool
    ) -> None:
        called(breaker, calls)
        assert breaker.state is (BreakerState.OPEN if opens else BreakerState.CLOSED)
        assert breaker.admits() is not opens

    def test_calls_of_a_minute_ago_do_not_count(self, breaker: Breaker, moments: Moments) -> None:
        called(breaker, [BAD] * 9)
        moments.seconds += 61
        called(breaker, [BAD] * 9)
        assert breaker.state is BreakerState.CLOSED
        called(breaker, [BAD])
        assert breaker.state is BreakerState.OPEN

    def test_it_is_half_open_after_a_minute_and_not_before(self, breaker: Breaker, moments: Moments) -> None:
        called(breaker, [BAD] * 10)
        moments.seconds += 59.9
        assert breaker.admit() is None
        moments.seconds += 0.1
        admission = breaker.admit()
        assert admission is not None
        assert admission.probe
        assert breaker.state is BreakerState.HALF_OPEN

    def test_while_half_open_three_at_a_time_are_let_through(self, opened: Breaker) -> None:
        probes = [opened.admit() for _ in range(20)]
        assert [probe is not None for probe in probes] == [True] * 3 + [False] * 17

    def test_three_successes_close_it(self, opened: Breaker) -> None:
        called(opened, [GOOD, GOOD])
        assert opened.state is BreakerState.HALF_OPEN
        called(opened, [GOOD])
        assert opened.state is BreakerState.CLOSED
        called(opened, [BAD] * 9)
        assert opened.state is BreakerState.CLOSED, "what was before does not count any more"

    def test_one_failure_opens_it_again_for_another_minute(self, opened: Breaker, moments: Moments) -> None:
        called(opened, [GOOD, GOOD, BAD])
        assert opened.state is BreakerState.OPEN
        moments.seconds += 59
        assert not opened.admits()
        moments.seconds += 1
        assert opened.admits()

    def test_a_probe_that_says_nothing_makes_room(self, opened: Breaker) -> None:
        called(opened, [NONE] * 50)
        assert opened.state is BreakerState.HALF_OPEN

    def test_a_probe_that_nobody_hears_of_makes_room_in_time(self, opened: Breaker, moments: Moments) -> None:
        assert all(opened.admit() for _ in range(3))
        assert not opened.admits()
        moments.seconds += 60
        assert opened.admits()

    @pytest.mark.parametrize("late", [GOOD, BAD])
    def test_what_was_admitted_earlier_says_nothing_of_now(
        self, breaker: Breaker, moments: Moments, late: CallResult
    ) -> None:
        earlier = [breaker.admit() for _ in range(50)]
        called(breaker, [BAD] * 10)
        moments.seconds += 30
        for admission in earlier[:25]:
            assert admission is not None
            breaker.record(admission, late)
        assert breaker.state is BreakerState.OPEN
        moments.seconds += 30
        assert breaker.admit(), "late failures have not made it longer"
        for admission in earlier[25:]:
            assert admission is not None
            breaker.record(admission, late)
        assert breaker.state is BreakerState.HALF_OPEN

    def test_asking_takes_no_place(self, opened: Breaker) -> None:
        assert all(opened.admits() for _ in range(50))

    @pytest.fixture
    def opened(self, breaker: Breaker, moments: Moments) -> Breaker:
        """One that a minute has passed for since it opened."""
        called(breaker, [BAD] * 10)
        moments.seconds += 60
        return breaker
