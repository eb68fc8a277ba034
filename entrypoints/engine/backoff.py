"""What failed a moment ago, and until when nobody tries it again: pauses double, and memory is bounded."""

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
    _rests: dict[K, tuple[float, float]] = field(default_factory=dict)
    """Until when, and the pause before it; in the order of their first failures."""

    def fail(self, key: K, now: float, longest: float | None = None) -> bool:
        """It failed; True when it has not failed lately, and is worth a word.

        Args:
            longest: of this failure; a hopeful one is tried again sooner.
        """
        known = self._rests.get(key)
        most = self.longest if longest is None else longest
        pause = min(self.first if known is None else known[1] * 2, most)
        self._rests[key] = now + pause, pause
        if len(self._rests) > self.size:
            del self._rests[next(iter(self._rests))]
        return known is None

    def over(self, key: K) -> bool:
        """It went well; True when it had failed before."""
        return self._rests.pop(key, None) is not None

    def resting(self, now: float) -> frozenset[K]:
        """Those to be left alone now.  Who has not failed again long after its time is forgotten."""
        for key in [key for key, (until, _) in self._rests.items() if until + 4 * self.longest < now]:
            del self._rests[key]
        return frozenset(key for key, (until, _) in self._rests.items() if until > now)

    def rests(self, key: K, now: float) -> bool:
        """Whether it is to be left alone now."""
        return key in self._rests and self._rests[key][0] > now

    def __len__(self) -> int:
        return len(self._rests)
