"""The store of triggers; for `expected` see `application.kernel.versioned`."""

from typing import Protocol

from application.kernel.versioned import Versioned
from domain.trigger.trigger import Trigger


class Triggers(Protocol):
    """Rules from shop events to notifications."""

    async def get(self, trigger: str) -> Versioned[Trigger] | None:
        """One."""
        ...

    async def put(self, trigger: Trigger, *, expected: int | None) -> Versioned[Trigger]:
        """Create or replace.

        Raises:
            Conflict: see the module.
        """
        ...

    async def delete(self, trigger: str, *, expected: int | None) -> bool:
        """Remove; False when it was not there."""
        ...

    async def page(self, after: str, limit: int) -> list[Versioned[Trigger]]:
        """In id order, behind `after`."""
        ...
