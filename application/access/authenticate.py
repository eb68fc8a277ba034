"""Finds the API key of a request.  Every request asks, so answers are remembered for a while."""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import TypeVar

from application.access.ports import ApiKey, ApiKeys
from application.access.secret import digest, well_formed
from application.kernel.caching import Read, ReadThrough, Recent
from application.kernel.ports import Clock

V = TypeVar("V")

_REMEMBERED_MAX = 10_000


class _UnknownKey(Exception):
    """There is no such key."""


@dataclass(slots=True, kw_only=True)
class Authenticate:
    """Caches keys by a digest, so that no secret stays in memory; this digest is cheaper than the stored one.

    Args:
        fresh: how long a known key is used without asking: a revoked one fails at the latest after it.
        stale: how long it is used while the database is away.
        unknown: how long an unknown one is refused without asking.
    """

    keys: ApiKeys
    clock: Clock
    pepper: bytes = field(repr=False)
    fresh: timedelta = timedelta(seconds=5)
    stale: timedelta = timedelta(seconds=60)
    unknown: timedelta = timedelta(seconds=5)
    _known: ReadThrough[bytes, ApiKey] = field(init=False, repr=False)
    _unknown: Recent[bytes, float] = field(default_factory=lambda: _remembered(), repr=False)
    """Until when (monotonic seconds).  Apart: anybody can make up as many as they like, and none of them must
    push out one that is known."""

    def __post_init__(self) -> None:
        kept: Recent[bytes, Read[ApiKey]] = _remembered()
        self._known = ReadThrough(self.clock, kept, fresh=self.fresh, stale=self.stale)

    async def __call__(self, secret: str) -> ApiKey | None:
        """The key, or None when it is unknown, revoked, expired or mistyped.

        Raises:
            StoreUnavailable: it cannot be looked up now.
        """
        cache_key = blake2b(secret.encode(), key=self.pepper[:64], digest_size=32).digest()
        if cache_key not in self._known and (not well_formed(secret) or self._refused(cache_key)):
            return None
        began = self.clock.monotonic()
        try:
            key = await self._known.get(cache_key, lambda: self._find(secret, cache_key))
        except _UnknownKey:
            self._known.forget(cache_key)
            self._unknown.keep(cache_key, began + self.unknown.total_seconds())
            return None
        if key.revoked_at is not None:
            return None
        if key.expires_at is not None and key.expires_at <= self.clock.now():
            return None
        return key

    def _refused(self, cache_key: bytes) -> bool:
        """Whether it was unknown a moment ago."""
        until = self._unknown.get(cache_key)
        return until is not None and until > self.clock.monotonic()

    async def _find(self, secret: str, cache_key: bytes) -> ApiKey:
        key = await self.keys.find(digest(self.pepper, secret))
        if key is None:
            raise _UnknownKey
        self._unknown.forget(cache_key)
        return key


def _remembered() -> Recent[bytes, V]:
    return Recent(most=_REMEMBERED_MAX, size_max=_REMEMBERED_MAX)
