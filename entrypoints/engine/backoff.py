"""What failed lately and until when it is not tried again: pauses double, and memory is bounded."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True, kw_only=True)
class Backoff(Generic[K]):
    """Times are seconds of one clock.

    Args:
        first, longest: seconds of the pauses.
        size: most keys that are remembered; the oldest is forgotten.
    """

    first: float
    longest: float
    size: int
    _blocked: dict[K, tuple[float, float]] = field(default_factory=dict)
    """Until when a key is blocked, and the length of that pause; in the order of their first failures."""

    def fail(self, key: K, now: float, longest: float | None = None) -> bool:
        """It failed; True when it had not failed lately, so that it is to be reported.

        Args:
            longest: seconds of the pause after this failure, in place of the usual bound.
        """
        known = self._blocked.get(key)
        most = self.longest if longest is None else longest
        pause = min(self.first if known is None else known[1] * 2, most)
        self._blocked[key] = now + pause, pause
        if len(self._blocked) > self.size:
            del self._blocked[next(iter(self._blocked))]
        return known is None

    def succeed(self, key: K) -> bool:
        """It succeeded; True when it had failed before."""
        return self._blocked.pop(key, None) is not None

    def blocked(self, now: float) -> frozenset[K]:
        """The keys that are not to be tried now.  A key that has not failed again for long is forgotten."""
        for key in [key for key, (until, _) in self._blocked.items() if until + 4 * self.longest < now]:
            del self._blocked[key]
        return frozenset(key for key, (until, _) in self._blocked.items() if until > now)

    def blocks(self, key: K, now: float) -> bool:
        """Whether `key` is not to be tried now."""
        return key in self._blocked and self._blocked[key][0] > now

    def __len__(self) -> int:
        return len(self._blocked)
