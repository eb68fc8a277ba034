"""A circuit breaker over the last calls of one provider account, by aiobreaker.

The library has the states and their transitions.  It counts failures in a row, reads the machine's clock and
lets every call through a half-open breaker; a rolling window, monotonic time and bounded probes stand here in
their place.  A call is admitted before its attempt is committed and is made later, so outcomes are reported
to the library (`record`); it makes no calls.
"""

from collections import deque
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from aiobreaker import CircuitBreaker, CircuitBreakerError
from aiobreaker.state import (
    CircuitBreakerBaseState,
    CircuitBreakerState,
    CircuitHalfOpenState,
)
from aiobreaker.storage.base import CircuitBreakerStorage

from application.kernel.ports import Clock
from application.provider.ports import Admission, BreakerState, CallResult

WINDOW_CALLS, WINDOW_SPAN = 100, 60.0
"""The calls that count: the last so many, of the last so many seconds."""
CALLS_MIN, FAILED_SHARE = 10, 0.5
"""It opens when of at least so many calls this share has failed."""
OPEN_FOR = 60.0
"""Seconds until it is half-open."""
PROBES_MAX, PROBES_NEEDED = 3, 3
"""Calls under way at a time while it is half-open, and successes in a row that close it."""
PROBE_MAX = 60.0
"""Seconds after which a probe that nobody heard of makes room for another."""

_STATES = {
    CircuitBreakerState.CLOSED: BreakerState.CLOSED,
    CircuitBreakerState.OPEN: BreakerState.OPEN,
    CircuitBreakerState.HALF_OPEN: BreakerState.HALF_OPEN,
}


class _CallFailed(Exception):
    """How aiobreaker learns of a failure."""


class _Window(CircuitBreakerStorage):
    """The last calls in place of a counter: `counter` is 1 while too many of them have failed, else 0."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("rolling window")
        self._clock = clock
        self._calls: deque[tuple[float, bool]] = deque(maxlen=WINDOW_CALLS)
        self._state = CircuitBreakerState.CLOSED
        self.opened = 0.0
        """Monotonic seconds."""
        self.epoch = 0
        """Counts the changes of state: what was admitted in an earlier one says nothing of the present."""

    @property
    def state(self) -> CircuitBreakerState:
        return self._state

    @state.setter
    def state(self, state: CircuitBreakerState) -> None:
        if state is not self._state:
            self.epoch += 1
        self._state = state
        self._calls.clear()
        if state is CircuitBreakerState.OPEN:
            self.opened = self._clock.monotonic()

    def increment_counter(self) -> None:
        self._calls.append((self._clock.monotonic(), True))

    def reset_counter(self) -> None:
        """Called with every success."""
        self._calls.append((self._clock.monotonic(), False))

    @property
    def counter(self) -> int:
        oldest = self._clock.monotonic() - WINDOW_SPAN
        while self._calls and self._calls[0][0] < oldest:
            self._calls.popleft()
        failed = sum(each for _, each in self._calls)
        return int(len(self._calls) >= CALLS_MIN and failed >= FAILED_SHARE * len(self._calls))

    @property
    def opened_at(self) -> datetime:
        """Asked for the text of an error that nobody reads."""
        return datetime.min  # noqa: DTZ901  the library compares it with naive times

    @opened_at.setter
    def opened_at(self, date_time: datetime) -> None:
        """The library gives the machine's clock; `opened` has the monotonic one."""


class _HalfOpen(CircuitHalfOpenState):
    """Closes after several successes, and knows how many probes are under way."""

    def __init__(self, breaker: CircuitBreaker, **changed: Any) -> None:  # Any: as the library calls it
        super().__init__(breaker, **changed)
        self._under_way: list[float] = []
        self._succeeded = 0

    def admits(self, now: float, *, take: bool) -> bool:
        """Whether a probe may begin; it does when `take` says so."""
        self._under_way = [since for since in self._under_way if now - since < PROBE_MAX]
        free = len(self._under_way) < PROBES_MAX
        if free and take:
            self._under_way.append(now)
        return free

    def ended(self) -> None:
        """A probe is over, however it ended."""
        if self._under_way:
            self._under_way.pop(0)

    def on_success(self) -> None:
        self._succeeded += 1
        if self._succeeded >= PROBES_NEEDED:
            super().on_success()


class _Breaker(CircuitBreaker):
    """Makes our half-open state."""

    def _create_new_state(
        self,
        new_state: CircuitBreakerState,
        prev_state: CircuitBreakerBaseState | None = None,
        notify: bool = False,
    ) -> CircuitBreakerBaseState:
        if new_state is CircuitBreakerState.HALF_OPEN:
            return _HalfOpen(self, prev_state=prev_state, notify=notify)
        return super()._create_new_state(new_state, prev_state, notify)


class RollingBreaker:
    """Implements `Breaker`; held to tests/contract/breaker.py."""

    def __init__(self, clock: Clock) -> None:
        """Closed, and without any call."""
        self._clock = clock
        self._window = _Window(clock)
        self._breaker = _Breaker(fail_max=1, timeout_duration=timedelta(), state_storage=self._window)

    @property
    def state(self) -> BreakerState:
        """See `Breaker`."""
        return _STATES[self._window.state]

    def admits(self) -> bool:
        """See `Breaker`."""
        return self._admits(take=False)

    def admit(self) -> Admission | None:
        """See `Breaker`."""
        if self._window.state is CircuitBreakerState.CLOSED:  # nearly always
            return Admission(self._window.epoch)
        if not self._admits(take=True):
            return None
        return Admission(self._window.epoch, probe=self._window.state is CircuitBreakerState.HALF_OPEN)

    def record(self, admission: Admission, result: CallResult) -> None:
        """See `Breaker`."""
        if admission.epoch != self._window.epoch:
            return
        if self._window.state is CircuitBreakerState.CLOSED and result is not CallResult.FAILED:
            if result is CallResult.SUCCEEDED:  # it is all that the library would do, at a tenth of the time
                self._window.reset_counter()
            return
        if isinstance(self._breaker.state, _HalfOpen):
            self._breaker.state.ended()
        if result is CallResult.NOTHING:
            return
        with suppress(_CallFailed, CircuitBreakerError):
            self._breaker.call(_replay, result)

    def open(self) -> None:
        """Let no call through for a while."""
        self._breaker.open()

    def close(self) -> None:
        """Let every call through."""
        self._breaker.close()

    def _admits(self, *, take: bool) -> bool:
        now = self._clock.monotonic()
        if self._window.state is CircuitBreakerState.OPEN:
            if now < self._window.opened + OPEN_FOR:
                return False
            self._breaker.half_open()
        state = self._breaker.state
        return state.admits(now, take=take) if isinstance(state, _HalfOpen) else True


def _replay(result: CallResult) -> None:
    """The call as the library sees it."""
    if result is CallResult.FAILED:
        raise _CallFailed
