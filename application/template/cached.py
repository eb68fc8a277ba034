"""Templates kept in memory: who prepares and who sends reads them here."""

from dataclasses import dataclass, field
from datetime import timedelta

from application.kernel.caching import Read, ReadThrough, Recent
from application.kernel.ports import Clock
from application.template.ports import Templates
from domain.template.template import Template

KEPT_MAX = 64 * 1024 * 1024
"""Characters of all templates at hand, about."""
_TEMPLATE, _VARIABLE = 1_000, 300
"""What they take beside their sources."""

_Version = tuple[str, int | None]


@dataclass(slots=True, kw_only=True)
class CachedTemplates:
    """Reads through to `templates`: versions once (they never change), the active one again and again.

    Args:
        fresh: another process's activation is seen after it at the latest.
        stale: how long the active version is used while the database is away.
    """

    templates: Templates
    clock: Clock
    fresh: timedelta = timedelta(seconds=2)
    stale: timedelta = timedelta(seconds=60)
    _kept: Recent[_Version, Read[Template | None]] = field(
        default_factory=lambda: Recent(most=KEPT_MAX // _TEMPLATE, size_max=KEPT_MAX)
    )
    _active: ReadThrough[_Version, Template | None] = field(init=False)

    def __post_init__(self) -> None:
        self._active = ReadThrough(self.clock, self._kept, fresh=self.fresh, stale=self.stale)

    async def active(self, template: str) -> Template | None:
        """The version in use, or None.

        Raises:
            StoreUnavailable: it cannot be read now, and what is known is too old.
        """
        return await self._active.get((template, None), lambda: self.templates.find(template), _size)

    async def version(self, template: str, version: int) -> Template | None:
        """One immutable version, or None.

        Raises:
            StoreUnavailable: it cannot be read now, and was never read here.
        """
        known = self._kept.get((template, version))
        if known is not None:
            return known.value
        found = await self.templates.find(template, version)
        if found is not None:
            now = self.clock.monotonic()
            self._kept.keep((template, version), Read(found, now, now), _size(found))
        return found

    def forget(self, template: str) -> None:
        """This process changed it: ask again."""
        self._active.forget((template, None))


def _size(template: Template | None) -> int:
    if template is None:
        return _TEMPLATE
    return _TEMPLATE + _VARIABLE * len(template.variables) + sum(map(len, template.sources().values()))
