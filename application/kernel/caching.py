"""Caches of templates and channels: versions are kept, the rest is read again after seconds."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from application.channel.ports import Channel, Channels, WhenDisabled
from application.kernel.ports import Clock
from application.template.ports import Templates
from domain.kernel.errors import StoreUnavailable
from domain.template.template import Template

K = TypeVar("K")
V = TypeVar("V")

KEPT_MAX = 64 * 1024 * 1024
"""Characters of all templates at hand, about."""
_TEMPLATE, _VARIABLE = 1_000, 300
"""What they take beside their sources."""


@dataclass(slots=True)
class _Active:
    """A cached template, when it was read, and when a read was last begun (monotonic seconds)."""

    template: Template | None
    read_at: float
    asked_at: float


@dataclass(slots=True, kw_only=True)
class CachedTemplates:
    """Reads through to `templates`.

    Args:
        fresh: another process's activation is seen after it at the latest.
        stale: how long the active version is believed while the database is away.
    """

    templates: Templates
    clock: Clock
    fresh: timedelta = timedelta(seconds=2)
    stale: timedelta = timedelta(seconds=60)
    _active: dict[str, _Active] = field(default_factory=dict)
    _versions: dict[tuple[str, int], Template] = field(default_factory=dict)
    _held: int = 0

    async def active(self, template: str) -> Template | None:
        """The version in use, or None.

        Raises:
            StoreUnavailable: it cannot be read now, and what is known is too old.
        """
        kept = self._active.get(template)
        now = self.clock.monotonic()
        if kept is None:
            return await self._read(template)
        believed = now - kept.read_at < self.stale.total_seconds()
        if now - kept.asked_at < self.fresh.total_seconds() and believed:
            return kept.template
        kept.asked_at = now  # meanwhile others go on with it: one asks, not all at once
        try:
            return await self._read(template)
        except StoreUnavailable:
            if not believed:
                raise
            return kept.template

    async def version(self, template: str, version: int) -> Template | None:
        """One immutable version, or None."""
        kept = self._versions.get((template, version))
        if kept is None:
            kept = await self.templates.find(template, version)
            if kept is not None and (template, version) not in self._versions:
                self._room(_size(kept))
                self._versions[(template, version)] = kept
        return kept

    async def _read(self, template: str) -> Template | None:
        began = self.clock.monotonic()
        found = await self.templates.find(template)
        self.forget(template)
        self._room(_size(found))
        self._active[template] = _Active(found, began, began)
        return found

    def forget(self, template: str) -> None:
        """This process changed it: ask again."""
        if (kept := self._active.pop(template, None)) is not None:
            self._held -= _size(kept.template)

    def _room(self, size: int) -> None:
        """For one more: where there is none, all are read anew."""
        if self._held + size > KEPT_MAX:
            self._active.clear()
            self._versions.clear()
            self._held = 0
        self._held += size


def _size(template: Template | None) -> int:
    if template is None:
        return _TEMPLATE
    return _TEMPLATE + _VARIABLE * len(template.variables) + sum(map(len, template.parts().values()))


@dataclass(slots=True, kw_only=True)
class OpenChannels:
    """Which channels take new requests: one small read for all requests of a moment.

    Args:
        fresh: another process's change is seen after it at the latest.
    """

    channels: Channels
    clock: Clock
    fresh: timedelta = timedelta(seconds=2)
    _known: Mapping[str, Channel] | None = None
    _asked: float = float("-inf")

    async def takes(self, channel: str) -> bool:
        """Whether it takes requests.

        While the database is away what was read last is believed, and a channel that nobody has read yet
        takes them: what is accepted can wait.
        """
        now = self.clock.monotonic()
        if self._known is None or now - self._asked >= self.fresh.total_seconds():
            self._asked = now  # meanwhile others go on with what is known: one asks, not all at once
            with suppress(StoreUnavailable):
                self._known = {kept.value.channel: kept.value for kept in await self.channels.all()}
        found = (self._known or {}).get(channel)
        return found is None or found.enabled or found.when_disabled is WhenDisabled.HOLD

    def forget(self) -> None:
        """This process changed one: ask again."""
        self._asked = float("-inf")


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

    def keep(self, key: K, value: V, size: int) -> None:
        """Remember it; `size` in whatever `size_max` counts."""
        if size > self._size_max:
            return
        _, before = self._kept.pop(key, (None, 0))
        self.size -= before
        while self._kept and (len(self._kept) >= self._most or self.size + size > self._size_max):
            self.size -= self._kept.pop(next(iter(self._kept)))[1]
        self._kept[key] = (value, size)
        self.size += size
