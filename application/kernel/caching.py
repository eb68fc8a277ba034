"""Caches: a memory bounded in size, and values that are read through it."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from application.kernel.ports import Clock
from domain.kernel.errors import Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A memory bounded by number and by size; the oldest goes first, and what is too large is not kept."""

    def __init__(self, *, most: int, size_max: int) -> None:
        self._most, self._size_max = most, size_max
        self._kept: dict[K, tuple[V, int]] = {}
        self.size = 0

    def get(self, key: K) -> V | None:
        """What was kept under it, or None."""
        found = self._kept.get(key)
        return None if found is None else found[0]

    def keep(self, key: K, value: V, size: int = 1) -> None:
        """Remember it; `size` in whatever `size_max` counts."""
        if size > self._size_max:
            return
        self.forget(key)
        while self._kept and (len(self._kept) >= self._most or self.size + size > self._size_max):
            self.forget(next(iter(self._kept)))
        self._kept[key] = (value, size)
        self.size += size

    def forget(self, key: K) -> None:
        """Remember it no more."""
        _, size = self._kept.pop(key, (None, 0))
        self.size -= size

    def __len__(self) -> int:
        return len(self._kept)


@dataclass(slots=True)
class Read(Generic[V]):
    """What was read, when, and when somebody last went to read it again (monotonic seconds)."""

    value: V
    read_at: float
    asked_at: float


class ReadThrough(Generic[K, V]):
    """Values read from a store and remembered.

    A value younger than `fresh` is returned as it is.  An older one is read again by one caller, while others
    go on with it.  While the store is away a value is returned until it is as old as `stale`.
    """

    def __init__(
        self, clock: Clock, kept: "Recent[K, Read[V]]", *, fresh: timedelta, stale: timedelta
    ) -> None:
        self._clock, self._kept = clock, kept
        self._fresh, self._stale = fresh.total_seconds(), stale.total_seconds()

    async def get(
        self, key: K, read: Callable[[], Awaitable[V]], size: Callable[[V], int] = lambda _: 1
    ) -> V:
        """The value of `key`.

        Args:
            read: asks the store for it; when it raises, nothing is remembered.
            size: of the value, in whatever the memory's bound counts.

        Raises:
            Unavailable: it cannot be read now, and what is remembered is too old.
        """
        now = self._clock.monotonic()
        known = self._kept.get(key)
        if known is None:
            return await self._read(key, read, size)
        usable = now - known.read_at < self._stale
        if usable and now - known.asked_at < self._fresh:
            return known.value
        known.asked_at = now
        try:
            return await self._read(key, read, size)
        except Unavailable:
            if not usable:
                raise
            return known.value

    def suppose(self, key: K, value: V) -> None:
        """Use `value` while the store is away, as if it had been read now.  The next `get` reads."""
        self._kept.keep(key, Read(value, self._clock.monotonic(), float("-inf")))

    def read_again(self, key: K) -> None:
        """This process changed it: the next `get` reads it."""
        if (known := self._kept.get(key)) is not None:
            known.asked_at = float("-inf")

    def forget(self, key: K) -> None:
        """As `read_again`, but what is remembered is not returned any more."""
        self._kept.forget(key)

    def __contains__(self, key: K) -> bool:
        return self._kept.get(key) is not None

    async def _read(self, key: K, read: Callable[[], Awaitable[V]], size: Callable[[V], int]) -> V:
        began = self._clock.monotonic()
        value = await read()
        self._kept.keep(key, Read(value, began, began), size(value))
        return value
