"""Fresh UUIDv7s that ascend within a process (RFC 9562, section 6.2, method 2)."""

import os
import random
import time
from collections.abc import Callable
from uuid import UUID

from domain.kernel.ids import uuid7

_SEED_BYTES = 9  # 72 of the 74 bits: the two on top stay free for what is added within a millisecond
_STEP_BITS = 32
BACK_MAX = 3_600_000
"""Milliseconds: an hour."""
_FULL = 1 << 74


class SystemIds:
    """Implements `Ids`.  For one thread; a forked child goes on with ids of its own.

    Each millisecond begins at a random place and goes on in random steps, so ids ascend, cannot be guessed
    from their neighbours, and cost one system call per millisecond at most.  A clock that steps back is
    waited out on the last millisecond it reached; one that steps back by more than `BACK_MAX` was wrong
    before, and ids begin anew where it is now.
    """

    def __init__(self, millis: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._millis = millis
        self._last = 0
        self._tail = 0
        os.register_at_fork(after_in_child=self._reseed)

    def next(self) -> UUID:
        """A UUIDv7 of this instant, greater than the one before unless the clock was set back by far."""
        now = self._millis()
        if now > self._last or now < self._last - BACK_MAX:
            self._last = now
            self._reseed()
        else:
            self._tail += 1 + random.getrandbits(_STEP_BITS)
            if self._tail >= _FULL:
                self._last += 1
                self._reseed()
        return uuid7(self._last, self._tail)

    def _reseed(self) -> None:
        self._tail = int.from_bytes(os.urandom(_SEED_BYTES), "big")
