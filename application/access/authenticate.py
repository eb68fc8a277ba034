"""Finds the API key of a request.  Every request needs it, so results are cached for a few seconds."""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from application.access.ports import ApiKey, ApiKeys
from application.access.secret import digest, well_formed
from application.kernel.ports import Clock
from domain.kernel.errors import StoreUnavailable

_REMEMBERED_MAX = 10_000


@dataclass(slots=True)
class _Seen:
    """A cached key, when it was read, and when a read was last begun (monotonic seconds)."""

    key: ApiKey
    read_at: float
    asked_at: float


@dataclass(slots=True, kw_only=True)
class Authenticate:
    """Caches keys by a digest, so that no secret stays in memory; this digest is cheaper than the stored one.

    Args:
        fresh: how long a cached key is used; a revoked key is refused after this time at the latest.
        stale: how long it is used while the database is away.
        unknown: how long an unknown key is refused without a look-up.
    """

    keys: ApiKeys
    clock: Clock
    pepper: bytes = field(repr=False)
    fresh: timedelta = timedelta(seconds=5)
    stale: timedelta = timedelta(seconds=60)
    unknown: timedelta = timedelta(seconds=5)
    _known: dict[bytes, _Seen] = field(default_factory=dict, repr=False)
    _unknown: dict[bytes, float] = field(default_factory=dict, repr=False)
    """Digest -> until when it is refused (monotonic seconds), oldest first.  Separate from the known keys:
    invented keys must not push them out of the cache."""

    async def __call__(self, secret: str) -> ApiKey | None:
        """The key, or None when it is unknown, revoked, expired or mistyped.

        Raises:
            StoreUnavailable: it cannot be looked up now.
        """
        cache_key = blake2b(secret.encode(), key=self.pepper[:64], digest_size=32).digest()
        seen = self._known.get(cache_key)
        if seen is None and not well_formed(secret):
            return None
        key = await self._believed(secret, cache_key, seen)
        if key is None or key.revoked_at is not None:
            return None
        if key.expires_at is not None and key.expires_at <= self.clock.now():
            return None
        return key

    async def _believed(self, secret: str, cache_key: bytes, seen: _Seen | None) -> ApiKey | None:
        now = self.clock.monotonic()
        if seen is None:
            return None if self._unknown.get(cache_key, now) > now else await self._look_up(secret, cache_key)
        believed = now - seen.read_at < self.stale.total_seconds()
        if now - seen.asked_at < self.fresh.total_seconds() and believed:
            return seen.key
        seen.asked_at = now  # others use the cached key meanwhile, so that one request reads, not all at once
        try:
            return await self._look_up(secret, cache_key)
        except StoreUnavailable:
            if not believed:
                raise
            return seen.key

    async def _look_up(self, secret: str, cache_key: bytes) -> ApiKey | None:
        began = self.clock.monotonic()
        key = await self.keys.find(digest(self.pepper, secret))
        if key is None:
            self._known.pop(cache_key, None)
            self._unknown.pop(cache_key, None)
            self._unknown[cache_key] = began + self.unknown.total_seconds()
            _bounded(self._unknown)
        else:
            self._unknown.pop(cache_key, None)
            self._known.pop(cache_key, None)
            self._known[cache_key] = _Seen(key, began, began)
            _bounded(self._known)
        return key


def _bounded(remembered: dict[bytes, Any]) -> None:
    """Drop the oldest entry when there are too many."""
    if len(remembered) > _REMEMBERED_MAX:
        del remembered[next(iter(remembered))]
