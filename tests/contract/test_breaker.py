"""`BreakerContract` over the breaker by aiobreaker."""

from datetime import UTC, datetime

import pytest

from adapters.breaker.rolling import RollingBreaker
from application.provider.ports import BreakerState
from tests.contract.breaker import BreakerContract, Moments


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
