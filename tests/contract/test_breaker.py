"""`BreakerContract` over the breaker by aiobreaker."""

from datetime import UTC, datetime

import pytest

from adapters.breaker.rolling import RollingBreaker
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
