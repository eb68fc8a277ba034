"""`BreakerContract` over the breaker by aiobreaker."""

from datetime import UTC, datetime

import pytest

from adapters.breaker.rolling import RollingBreaker
from application.provider.ports import Admission, BreakerState
from tests.contract.breaker import BAD, BreakerContract, Moments, called


class _Clock(Moments):
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


class TestRollingBreaker(BreakerContract):
    @pytest.fixture
    def moments(self) -> _Clock:
        return _Clock()

    @pytest.fixture
    def breaker(self, moments: _Clock) -> RollingBreaker:
        return RollingBreaker(moments)

    def test_it_can_be_opened_and_closed_by_hand(self, breaker: RollingBreaker) -> None:
        breaker.open()
        assert breaker.state is BreakerState.OPEN
        breaker.close()
        assert breaker.state is BreakerState.CLOSED
        assert breaker.admit() is not None


class _LetsEverybodyIn(RollingBreaker):
    """A mistake: while it is half-open it asks nobody to wait."""

    def admit(self) -> Admission | None:
        admission = super().admit()
        if admission is None and self.state is BreakerState.HALF_OPEN:
            return Admission(self._window.epoch, probe=True)
        return admission


class TestNegativeControl:
    def test_one_that_lets_everybody_in_while_half_open_is_found(self) -> None:
        moments = _Clock()
        breaker = _LetsEverybodyIn(moments)
        called(breaker, [BAD] * 10)
        moments.seconds += 60
        with pytest.raises(AssertionError):
            BreakerContract().test_while_half_open_three_at_a_time_are_let_through(breaker)
