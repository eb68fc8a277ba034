"""The registered types, read for many requests at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from application.kernel.caching import ReadThrough, Recent
from application.kernel.ports import Clock
from application.notification_type.ports import NotificationTypes
from domain.notification_type.notification_type import NotificationType

TYPES_MAX = 1_000
"""Registered types: all of them are kept in memory."""


@dataclass(slots=True, kw_only=True)
class KnownTypes:
    """One small read for all requests of a moment.

    Args:
        fresh: another process's change is seen after it at the latest.
    """

    types: NotificationTypes
    clock: Clock
    fresh: timedelta = timedelta(seconds=2)
    _all: ReadThrough[str, Mapping[str, NotificationType]] = field(init=False)

    def __post_init__(self) -> None:
        kept_for_ever = timedelta.max
        self._all = ReadThrough(self.clock, Recent(most=1, size_max=1), fresh=self.fresh, stale=kept_for_ever)

    async def find(self, kind: str) -> NotificationType | None:
        """The type as it is registered; None: it is not.

        While the database is away what was read last counts.

        Raises:
            StoreUnavailable: nothing was read yet, and it cannot be read now.
        """
        return (await self._all.get("", self._read)).get(kind)

    def forget(self) -> None:
        """This process changed one: ask again."""
        self._all.read_again("")

    async def _read(self) -> Mapping[str, NotificationType]:
        return {kept.value.id: kept.value for kept in await self.types.page("", TYPES_MAX)}
