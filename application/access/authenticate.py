"""Whose API key is this?  Asked with every request, so answers are remembered for a while."""

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
    """What was found, when that was true, and when somebody last went to ask again (monotonic seconds)."""

    key: ApiKey
    read_at: float
    asked_at: float


@dataclass(slots=True, kw_only=True)
class Authenticate:
    """Remembers by a digest, so that no secret stays in memory: a cheaper one than the one that is kept.

    Args:
        fresh: how long a known key is believed: a revoked one fails at the latest after it.
        stale: how long it is believed while the database is away.
        unknown: how long an unknown one is refused without asking.
    """

    keys: ApiKeys
    clock: Clock
    pepper: bytes = field(repr=False)
    fresh: timedelta = timedelta(seconds=5)
    stale: timedelta = timedelta(seconds=60)
    unknown: timedelta = timedelta(seconds=5)
    _known: dict[bytes, _Seen] = field(default_factory=dict, repr=False)
    _unknown: dict[bytes, float] = field(default_factory=dict, repr=False)
    """Until when (monotonic seconds), oldest first.  Apart: anybody can make up as many as they like, and
    none of them must push out one that is known."""

    async def __call__(self, secret: str) -> ApiKey | None:
        """The key, or None when it is unknown, revoked, expired or mistyped.

        Raises:
            StoreUnavailable: it cannot be looked up now.
        """
        mark = blake2b(secret.encode(), key=self.pepper[:64], digest_size=32).digest()
        seen = self._known.get(mark)
        if seen is None and not well_formed(secret):
            return None
        key = await self._believed(secret, mark, seen)
        if key is None or key.revoked_at is not None:
            return None
        if key.expires_at is not None and key.expires_at <= self.clock.now():
            return None
        return key

    async def _believed(self, secret: str, mark: bytes, seen: _Seen | None) -> ApiKey | None:
        now = self.clock.monotonic()
        if seen is None:
            return None if self._unknown.get(mark, now) > now else await self._look_up(secret, mark)
        believed = now - seen.read_at < self.stale.total_seconds()
        if now - seen.asked_at < self.fresh.total_seconds() and believed:
            return seen.key
        seen.asked_at = now  # meanwhile others go on with it: one asks, not all at once
        try:
            return await self._look_up(secret, mark)
        except StoreUnavailable:
            if not believed:
                raise
            return seen.key

    async def _look_up(self, secret: str, mark: bytes) -> ApiKey | None:
        began = self.clock.monotonic()
        key = await self.keys.find(digest(self.pepper, secret))
        if key is None:
            self._known.pop(mark, None)
            self._unknown.pop(mark, None)
            self._unknown[mark] = began + self.unknown.total_seconds()
            _bounded(self._unknown)
        else:
            self._unknown.pop(mark, None)
            self._known.pop(mark, None)
            self._known[mark] = _Seen(key, began, began)
            _bounded(self._known)
        return key


def _bounded(remembered: dict[bytes, Any]) -> None:
    """Without the oldest, where there are too many."""
    if len(remembered) > _REMEMBERED_MAX:
        del remembered[next(iter(remembered))]
