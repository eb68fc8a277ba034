"""Enabled triggers in memory, by the event type they listen to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from application.kernel.ports import Clock
from application.trigger.ports import Triggers
from domain.trigger.trigger import Trigger

_PAGE = 200
_BETWEEN_WORDS = re.compile(r"[._-]")

Rules = Mapping[str, tuple[Trigger, ...]]


def fold(event_type: str) -> str:
    """One spelling for `order.created`, `order_created` and `OrderCreated`: shops write all of them."""
    return _BETWEEN_WORDS.sub("", event_type).lower()


@dataclass(slots=True, kw_only=True)
class TriggerIndex:
    """The enabled triggers; another process's change is seen after `fresh` at the latest."""

    triggers: Triggers
    clock: Clock
    fresh: timedelta = timedelta(seconds=2)
    _rules: Rules = field(default_factory=dict)
    _until: float = float("-inf")

    async def rules(self) -> Rules:
        """Triggers by folded event type, in id order.

        Raises:
            StoreUnavailable: they are not fresh and cannot be read.
        """
        now = self.clock.monotonic()
        if now >= self._until:
            self._rules = await self._read()
            self._until = now + self.fresh.total_seconds()
        return self._rules

    def forget(self) -> None:
        """Drop the cached triggers: this process has changed one."""
        self._until = float("-inf")

    async def _read(self) -> Rules:
        rules: dict[str, tuple[Trigger, ...]] = {}
        after = ""
        while page := await self.triggers.page(after, _PAGE):
            for trigger in (found.value for found in page):
                after = trigger.id
                if trigger.enabled:
                    rules[fold(trigger.event)] = (*rules.get(fold(trigger.event), ()), trigger)
        return rules
